import type { DType, TypedArray } from './dtype';

/** The elements of a tensor as nested arrays; for a tensor without dimensions, the element itself. */
export type Nested = number | bigint | boolean | Nested[];

/**
 * @internal Nests elements that are in row-major order.
 * @param data the elements; pairs when `dtype` is complex
 * @param shape the tensor's
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
