import { addon } from './addon';
import type { Raster } from './raster';
import { type Tensor, wrap } from './tensor';

/**
 * Converts the samples of an image file to RGB.
 * @param filtered bytes per pixel of PNG's filters, which are undone in `bytes` itself; 0 without filters
 * @param isAsync whether to work in another thread
 * @returns the pixels, uint8 [H, W, 3], and how many of them are missing because the bytes end too early
 */
export async function rasterToRgb(
  bytes: Uint8Array,
  raster: Raster,
  filtered: number,
  isAsync: boolean,
): Promise<{ pixels: Tensor; missing: number }> {
  const { pixels, missing } = await addon().rasterToRgb(bytes, raster, filtered, isAsync);
  return { pixels: wrap(pixels), missing };
}

/**
 * Unpacks the pixels of an image file in another thread; see native/pixels/unpack.h.
 * @param size bytes of all unpacked pixels
 * @param parts three numbers per part: its offset, its packed length and its unpacked length, in bytes
 * @param numbers for 'gif': bits per index, interlaced, width, height, index of missing pixels. For 'bmp': whether an
 * index has 4 bits, width, height. For 'plain' (Netpbm): whether the digits are bits, the largest value. For the others
 * (TIFF): bytes per row, samples side by side or 0 without a predictor, bits per sample, big endian
 * @returns `size` bytes, or null when the packed bytes are wrong or too few
 */
export const unpackPixels = (
  kind: 'gif' | 'bmp' | 'plain' | 'lzw' | 'packbits' | 'raw',
  bytes: Uint8Array,
  size: number,
  parts: number[],
  numbers: number[],
): Promise<Uint8Array | null> => addon().unpackPixels(kind, bytes, size, parts, numbers);
