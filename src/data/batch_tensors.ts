import { type Tensor, torch } from '../torch';

/** The tensors of B rows, on the CPU. */
export interface BatchTensors {
  /** images, uint8 [B, 3, size, size], not normalized */
  pixels: Tensor;
  /** token ids of the captions, int64 [B, contextLength] */
  ids: Tensor;
  /** the images after AutoAugment, uint8 [B, 3, size, size]; only with `inmodal` */
  augmentedPixels?: Tensor;
  /** token ids of the captions after EDA, int64 [B, contextLength]; only with `inmodal` */
  augmentedIds?: Tensor;
}

/** The tensors that threads fill: all, or only those of captions where a device makes the pixels. */
export type FilledTensors = BatchTensors | Omit<BatchTensors, 'pixels' | 'augmentedPixels'>;

/** Tokens with which another thread can take the tensors once, see `torch.share`. */
export type BatchTokens = Partial<Record<keyof BatchTensors, number>>;

/** The options of a loader that say which tensors a batch has. */
export interface BatchShape {
  size: number;
  contextLength: number;
  inmodal: boolean;
  pinned: boolean;
  device?: string;
}

/** Makes uninitialized tensors for a batch. */
export function emptyTensors(
  rows: number,
  { size, contextLength, inmodal, pinned, device }: BatchShape,
): FilledTensors {
  const pixels = (): Tensor => torch.empty([rows, 3, size, size], { dtype: 'uint8', pinMemory: pinned });
  const ids = (): Tensor => torch.empty([rows, contextLength], { dtype: 'int64' });
  if (device !== undefined) return { ids: ids(), ...(inmodal && { augmentedIds: ids() }) };
  return { pixels: pixels(), ids: ids(), ...(inmodal && { augmentedPixels: pixels(), augmentedIds: ids() }) };
}

/** Shares `count` rows from `start` with another thread. What it writes there appears in the tensors. */
export const shareRows = (tensors: FilledTensors, start: number, count: number): BatchTokens =>
  torch.tidy(() => mapEach(tensors, (tensor) => torch.share(tensor.narrow(0, start, count))));

/** Takes the tensors that another thread has shared, without a copy. */
export const takeTensors = (tokens: BatchTokens): FilledTensors =>
  mapEach(tokens, (token) => torch.take(token)) as FilledTensors;

/** Takes back and disposes tensors that a thread did not take before it died. */
export function reclaimTokens(tokens: BatchTokens): void {
  for (const token of Object.values(tokens)) {
    try {
      torch.take(token).dispose();
    } catch {
      // the thread had taken it
    }
  }
}

/** Copies some of the rows, and disposes the given tensors. */
export function selectRows(tensors: FilledTensors, rows: Int32Array): FilledTensors {
  const selected = torch.tidy(() => {
    const index = torch.tensor(rows);
    return mapEach(tensors, (tensor) => tensor.index_select(0, index)) as FilledTensors;
  });
  disposeTensors(tensors);
  return selected;
}

/** Disposes the tensors of a batch. */
export function disposeTensors(tensors: FilledTensors): void {
  for (const tensor of Object.values(tensors)) tensor.dispose();
}

type Each<Value> = Partial<Record<keyof BatchTensors, Value>>;

const mapEach = <From, To>(each: Each<From>, map: (value: From) => To): Each<To> =>
  Object.fromEntries(Object.entries(each).map(([name, value]) => [name, map(value)]));
