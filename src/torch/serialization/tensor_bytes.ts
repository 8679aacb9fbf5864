import type { Tensor } from '../index';
import { elementSize } from './placement';

/** Tensors go to a file in pieces of this many bytes, so that none is too large for a typed array and a checksum stays in the cache's reach. */
const chunkBytes = 64 * 2 ** 20;

/** The bytes of a run of elements of a tensor's storage, in pieces, from any device. */
export function* elementBytes(tensor: Tensor, start: number, count: number): Generator<Uint8Array> {
  const chunk = chunkBytes / elementSize(tensor.dtype);
  for (let done = 0; done < count; done += chunk) {
    const elements = tensor.as_strided([Math.min(chunk, count - done)], [1], start + done).to({ device: 'cpu' });
    yield elements.bytes();
    elements.dispose();
  }
}
