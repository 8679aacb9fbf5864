import type { DType, TypedArray } from './dtype';

/** Nested arrays of a tensor's elements; a plain element for a 0-dimensional tensor. */
export type Nested = number | bigint | boolean | Nested[];

/**
 * @internal Elements in row-major order as nested arrays.
 * @param data the elements; pairs of them where `dtype` is complex
 * @param shape of the tensor
 */
export function nested(data: TypedArray, dtype: DType, shape: number[]): Nested {
  const flat = Array.from(data as ArrayLike<number | bigint>, (value) => element(value, dtype));
  return nest(flat, dtype.startsWith('complex') ? [...shape, 2] : shape);
}

function element(value: number | bigint, dtype: DType): number | bigint | boolean {
  if (dtype === 'bool') return value !== 0;
  return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function nest(flat: Nested[], shape: number[]): Nested {
  if (shape.length === 0) return flat[0];
  let level = flat;
  for (const length of shape.slice(1).reverse()) {
    const count = length === 0 ? shape[0] : level.length / length;
    level = Array.from({ length: count }, (_, i) => level.slice(i * length, (i + 1) * length));
  }
  return level;
}
