import { addon } from '../torch/addon';
import { type Tensor, wrap } from '../torch/tensor';

/** The most that a JPEG may have in pixels, and take in seconds of decoding. */
export interface JpegLimits {
  maxPixels: number;
  maxSeconds: number;
}

/**
 * Decodes a JPEG with libjpeg-turbo on this thread. Pixels of a damaged file that cannot be decoded are black, as in
 * PIL.
 * @returns uint8 [H, W, 3]; or a string that says why there is no image, as the end of a sentence; or null when the
 * addon was compiled without libjpeg-turbo
 */
export const decodeJpegSync = (bytes: Uint8Array, { maxPixels, maxSeconds }: JpegLimits): Tensor | string | null =>
  asTensor(addon().decodeJpeg(bytes, maxPixels, maxSeconds, false) as Outcome);

/** Does the same on a thread of the pool. The bytes must not change until it ends. */
export const decodeJpegAsync = async (
  bytes: Uint8Array,
  { maxPixels, maxSeconds }: JpegLimits,
): Promise<Tensor | string | null> => asTensor(await addon().decodeJpeg(bytes, maxPixels, maxSeconds, true));

type Outcome = number | string | null;

const asTensor = (outcome: Outcome): Tensor | string | null => (typeof outcome === 'number' ? wrap(outcome) : outcome);
