import { type Tensor, torch } from '../torch';

/** The tensors of B rows. */
export interface BatchTensors {
  /** uint8 [B, 3, size, size] */
  pixels: Tensor;
  /** int64 [B, contextLength] */
  ids: Tensor;
  /** uint8 [B, 3, size, size], of another view of each image */
  augmentedPixels?: Tensor;
  /** int64 [B, contextLength], of another wording of each caption */
  augmentedIds?: Tensor;
}

/** Tokens with which another thread takes the tensors, once. */
export type BatchTokens = { [name in keyof BatchTensors]: number };

/** Tensors that are yet to be filled. */
export function emptyTensors(
  rows: number,
  { size, contextLength, inmodal, pinned }: { size: number; contextLength: number; inmodal: boolean; pinned: boolean },
): BatchTensors {
  const pixels = (): Tensor => torch.empty([rows, 3, size, size], { dtype: 'uint8', pinMemory: pinned });
  const ids = (): Tensor => torch.empty([rows, contextLength], { dtype: 'int64' });
  return { pixels: pixels(), ids: ids(), ...(inmodal && { augmentedPixels: pixels(), augmentedIds: ids() }) };
}

/** Shares `count` rows from `start`; what is written there is written to the tensors. */
export const shareRows = (tensors: BatchTensors, start: number, count: number): BatchTokens =>
  torch.tidy(() => mapEach(tensors, (tensor) => torch.share(tensor.narrow(0, start, count))));

/** Takes the tensors of a batch that another thread shared, without a copy. */
export const takeTensors = (tokens: BatchTokens): BatchTensors => mapEach(tokens, (token) => torch.take(token));

/** Takes back what a thread that died has not taken. */
export function reclaimTokens(tokens: BatchTokens): void {
  for (const token of Object.values(tokens)) {
    try {
      torch.take(token).dispose();
    } catch {
      // the thread had taken it
    }
  }
}

/** Some of the rows; the tensors given are disposed of. */
export function selectRows(tensors: BatchTensors, rows: Int32Array): BatchTensors {
  const selected = torch.tidy(() => {
    const index = torch.tensor(rows);
    return mapEach(tensors, (tensor) => tensor.index_select(0, index));
  });
  disposeTensors(tensors);
  return selected;
}

/** Frees the tensors of a batch. */
export function disposeTensors(tensors: BatchTensors): void {
  for (const tensor of Object.values(tensors)) tensor.dispose();
}

function mapEach<From, To>(
  each: { [name in keyof BatchTensors]: From },
  map: (value: From) => To,
): { [name in keyof BatchTensors]: To } {
  const entries = Object.entries(each) as [keyof BatchTensors, From][];
  return Object.fromEntries(entries.map(([name, value]) => [name, map(value)])) as { [name in keyof BatchTensors]: To };
}
