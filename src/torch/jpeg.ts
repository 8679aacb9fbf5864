import { addon } from './addon';
import { wrap, type Tensor } from './tensor';

/**
 * Decodes a JPEG by libjpeg-turbo, on this thread.
 * @returns uint8 [H, W, 3]; null for CMYK, for a file with any flaw, for more than `maxPixels`, and when the addon was compiled without
 *   libjpeg-turbo
 */
export function decodeJpeg(bytes: Uint8Array, maxPixels: number): Tensor | null {
  const handle = addon().decodeJpeg(bytes, maxPixels);
  return handle === null ? null : wrap(handle);
}
