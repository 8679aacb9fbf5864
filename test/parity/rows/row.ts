import { type Tensor, torch } from '../../../src/torch';

/** The other side: our own Python on torch, torchvision, PIL, ftfy, nltk; or the modules of the Python repository. */
export type Against = 'torch' | 'reference';

export type Tensors = Record<string, Tensor>;

/** One comparison of a row. */
export interface Part {
  /** what was compared */
  part: string;
  cases: number;
  measured: number;
  /** passes up to here; with `atLeast`, from here on */
  limit: number;
  atLeast?: boolean;
  /** why the sides are not identical */
  note?: string;
  /** the note explains why the limit does not hold, or why there is none: it is shown, and fails nothing */
  explained?: boolean;
}

/** A feature that the harness compares. */
export interface Row {
  name: string;
  what: string;
  /** whether it also runs against the Python repository */
  reference: boolean;
  measure(against: Against): Part[] | Promise<Part[]>;
}

export const passes = ({ cases, measured, limit, atLeast }: Part): boolean =>
  cases > 0 && (atLeast ? measured >= limit : measured <= limit);

/** The largest difference of two tensors of one shape. */
export function largestDifference(ours: Tensor, theirs: Tensor): number {
  if (ours.shape.join() !== theirs.shape.join())
    throw new Error(`The shapes differ: [${ours.shape}] here, [${theirs.shape}] in Python.`);
  return torch.tidy(() => ours.sub(theirs).abs().max().item());
}

export const largest = (tensor: Tensor): number => torch.tidy(() => tensor.abs().max().item());

/** The largest difference of the bytes of two images. */
export function byteDifference(ours: Uint8Array, theirs: Uint8Array): number {
  if (ours.length !== theirs.length)
    throw new Error(`The sizes differ: ${ours.length} bytes here, ${theirs.length} in Python.`);
  if (Buffer.compare(ours, theirs) === 0) return 0;
  return ours.reduce((most, value, i) => Math.max(most, Math.abs(value - theirs[i])), 0);
}

/** Bytes of a uint8 image [3, H, W] in PIL's order. */
export const interleaved = (image: Tensor): Uint8Array =>
  torch.tidy(() => image.permute([1, 2, 0]).contiguous().data()) as Uint8Array;

/** The largest difference of tensors by name, the name there, and the largest value of the other side. */
export function differenceByName(
  ours: Tensors,
  theirs: Tensors,
): { difference: number; where: string; largest: number } {
  const names = Object.keys(theirs);
  if (names.join() !== Object.keys(ours).join())
    throw new Error(`The names differ: ${Object.keys(ours)} here, ${names} in Python.`);
  const differences = names.map((name) => largestDifference(ours[name], theirs[name]));
  const difference = Math.max(...differences);
  return {
    difference,
    where: names[differences.indexOf(difference)],
    largest: Math.max(...names.map((name) => largest(theirs[name]))),
  };
}

/** The parts of several measurements, one after the other. */
export async function eachOf<T>(items: readonly T[], measure: (item: T) => Promise<Part[]>): Promise<Part[]> {
  const parts: Part[] = [];
  for (const item of items) parts.push(...(await measure(item)));
  return parts;
}
