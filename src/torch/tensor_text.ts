import { inspect } from 'node:util';

import type { Nested } from './nested';

/** What of a tensor is printed. */
interface Printed {
  readonly shape: number[];
  readonly dtype: string;
  readonly device: string;
  toArray(): Nested;
}

/** @internal Returns a tensor's dtype, shape and device, and its elements: at most 100, and none of 'meta'. */
export function textOf(tensor: Printed): string {
  const { shape, dtype, device } = tensor;
  const size = shape.reduce((product, length) => product * length, 1);
  const place = device === 'cpu' ? '' : `, ${device}`;
  const values = size <= 100 && device !== 'meta' ? ` ${inspect(tensor.toArray(), { depth: 9 })}` : '';
  return `Tensor(${dtype} [${shape.join(', ')}]${place})${values}`;
}
