import { addon } from '../torch/addon';
import { type Tensor, wrap } from '../torch/tensor';

/** What a JPEG may take: pixels, and seconds of decoding. */
export interface JpegLimits {
  maxPixels: number;
  maxSeconds: number;
}

/**
 * Decodes a JPEG by libjpeg-turbo, on this thread: of a flawed one what can be decoded, the rest black, as PIL does.
 * @returns uint8 [H, W, 3]; or why there is no image, as the end of a sentence; null when the addon was compiled
 * without libjpeg-turbo
 */
export const decodeJpegSync = (bytes: Uint8Array, { maxPixels, maxSeconds }: JpegLimits): Tensor | string | null =>
  asTensor(addon().decodeJpeg(bytes, maxPixels, maxSeconds, false) as Outcome);

/** The same on a thread of the pool; the bytes must not change meanwhile. */
export const decodeJpegAsync = async (
  bytes: Uint8Array,
  { maxPixels, maxSeconds }: JpegLimits,
): Promise<Tensor | string | null> => asTensor(await addon().decodeJpeg(bytes, maxPixels, maxSeconds, true));

type Outcome = number | string | null;

const asTensor = (outcome: Outcome): Tensor | string | null => (typeof outcome === 'number' ? wrap(outcome) : outcome);
