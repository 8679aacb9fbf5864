import { systemError } from '../../files';
import { addon } from '../addon';
import type { Tensor } from '../index';
import { elementSize } from './placement';

/** Tensors of other devices come to this one in pieces of so many bytes. */
const chunkBytes = 64 * 2 ** 20;

/**
 * Writes a run of elements of a tensor's storage, from any device, at a place of a file.
 * @returns the CRC-32 of the bytes
 */
export function writeElements(fd: number, position: number, tensor: Tensor, start: number, count: number): number {
  const size = elementSize(tensor.dtype);
  const chunk = chunkBytes / size;
  let crc = 0;
  for (let done = 0; done < count; done += chunk) {
    const elements = tensor.as_strided([Math.min(chunk, count - done)], [1], start + done).to({ device: 'cpu' });
    crc = addon().writeTensor(fd, position + done * size, elements.handle, crc);
    elements.dispose();
    if (crc < 0) throw systemError(crc, 'write');
  }
  return crc;
}
