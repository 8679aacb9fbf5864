import { dtypes } from './dtypes';

/** A dense tensor's place in its storage. Counts are in elements. */
export interface StoredTensor {
  /** a key that tensors of the same storage share */
  readonly storage: bigint;
  readonly dtype: string;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
}

/** A range of elements of one storage that becomes one record. */
export interface Run<T> {
  /** the tensor that begins first; it represents the storage */
  readonly owner: T;
  /** first element, counted from the start of the storage */
  readonly start: number;
  readonly count: number;
}

/**
 * Decides which tensors share a record: those of the same storage and dtype whose elements overlap, as tied weights do.
 * A record holds no more than its tensors span. So a small view of a large storage, or of a mapped file, is saved
 * small.
 *
 * @returns the runs, in the order of their first tensors, and the run of each tensor
 */
export function placeTensors<T extends StoredTensor>(tensors: readonly T[]): { runs: Run<T>[]; runOf: Map<T, Run<T>> } {
  const byStart = [...tensors].sort(
    (a, b) => compare(a.storage, b.storage) || compare(a.dtype, b.dtype) || a.offset - b.offset,
  );
  const runOf = new Map<T, Run<T>>();
  let group: T[] = [];
  let end = 0;
  const close = (): void => {
    if (group.length === 0) return;
    const [owner] = group;
    const run = { owner, start: owner.offset, count: end - owner.offset };
    for (const tensor of group) runOf.set(tensor, run);
  };
  for (const tensor of byStart) {
    const overlaps =
      group.length > 0 && group[0].storage === tensor.storage && group[0].dtype === tensor.dtype && tensor.offset < end;
    if (!overlaps) {
      close();
      group = [];
      end = tensor.offset;
    }
    group.push(tensor);
    end = Math.max(end, tensor.offset + span(tensor));
  }
  close();
  return { runs: [...new Set(tensors.map((tensor) => runOf.get(tensor)!))], runOf };
}

/** Counts the elements from a tensor's first to its last, both included. */
export function span({ shape, stride }: Pick<StoredTensor, 'shape' | 'stride'>): number {
  if (shape.includes(0)) return 0;
  return shape.reduce((last, size, i) => last + (size - 1) * stride[i], 1);
}

/** Returns the bytes per element. */
export const elementSize = (dtype: string): number => dtypes.get(dtype)!.bytes;

const compare = <V extends bigint | string>(a: V, b: V): number => (a < b ? -1 : a > b ? 1 : 0);
