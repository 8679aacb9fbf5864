import { type Tensor } from '../torch';
import { decodeJpegAsync, decodeJpegSync } from './jpeg_kernel';
import { checkSize, type Limits, Refusal } from './limits';
import { decodeRaster, isLarge, levels, rasterOf, repeated, table, wholePiece } from './raster';
import { decodeBySharp } from './sharp_decoder';

/** Whether a file begins with the signature of JPEG. */
export const isJpeg = (bytes: Uint8Array): boolean => bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;

/**
 * Decodes a JPEG as PIL does. EXIF rotation and colour profiles are ignored, and CMYK counts as Adobe's inverted CMYK.
 * A truncated or damaged file keeps the pixels that can be decoded. libjpeg-turbo takes half the time of sharp; without
 * it sharp decodes to the same pixels.
 *
 * @returns uint8 [H, W, 3]; no promise for an image of at most 2^20 pixels that libjpeg-turbo decodes
 * @throws Refusal
 */
export function decodeJpeg(bytes: Uint8Array, limits: Limits): Tensor | Promise<Tensor> {
  const { width, height } = sizeOf(bytes);
  checkSize(width, height, limits);
  if (!isLarge(width, height)) return settled(decodeJpegSync(bytes, limits), bytes, limits);
  return decodeJpegAsync(bytes, limits).then((outcome) => settled(outcome, bytes, limits));
}

function settled(outcome: Tensor | string | null, bytes: Uint8Array, limits: Limits): Tensor | Promise<Tensor> {
  if (outcome === null) return decodeForeign(bytes, limits);
  if (typeof outcome === 'string') throw new Refusal(outcome.replace(/\.$/, ''));
  return outcome;
}

async function decodeForeign(bytes: Uint8Array, limits: Limits): Promise<Tensor> {
  const { data, info, isCmyk } = await decodeBySharp(bytes, 'jpeg', limits);
  const { width, height, channels } = info;
  const pieces = wholePiece(width, height, 0, width * channels);
  const step = 8 * channels;
  const inks = {
    colours: 'cmyk' as const,
    bitOffsets: [0, 8, 16, 24],
    tables: repeated(
      table(8, (value) => value),
      4,
    ),
  };
  return decodeRaster(
    data,
    rasterOf({
      width,
      height,
      pieces,
      step,
      bitOffsets: channels < 3 ? [0, 0, 0] : [0, 8, 16],
      tables: levels(8, 3),
      ...(isCmyk && inks),
    }),
    { most: 0 },
  );
}

/** Reads the size from the frame header (ITU-T T.81, B.2.2). */
function sizeOf(bytes: Uint8Array): { width: number; height: number } {
  for (let at = 2; at + 9 <= bytes.length;) {
    if (bytes[at] !== 0xff) {
      at += 1; // libjpeg skips bytes between markers
      continue;
    }
    const marker = bytes[at + 1];
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) return { height: (bytes[at + 5] << 8) | bytes[at + 6], width: (bytes[at + 7] << 8) | bytes[at + 8] };
    const hasNoLength = marker === 0xff || marker === 0 || marker === 1 || (marker >= 0xd0 && marker <= 0xd8);
    if (marker === 0xd9 || marker === 0xda) break;
    at += marker === 0xff ? 1 : hasNoLength ? 2 : 2 + ((bytes[at + 2] << 8) | bytes[at + 3]);
  }
  throw new Refusal('it has no frame header');
}
