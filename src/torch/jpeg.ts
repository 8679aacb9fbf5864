import { addon } from './addon';
import { wrap, type Tensor } from './tensor';

/**
 * Decodes a JPEG by libjpeg-turbo: of a flawed one what can be decoded, the rest black, as PIL does.
 * @param aside off this thread
 * @returns uint8 [H, W, 3]; or why there is no image, as the end of a sentence; null when the addon was compiled without libjpeg-turbo
 */
export function decodeJpeg(bytes: Uint8Array, limits: { maxPixels: number; maxSeconds: number }, aside: false): Tensor | string | null;
export function decodeJpeg(bytes: Uint8Array, limits: { maxPixels: number; maxSeconds: number }, aside: boolean): Tensor | string | null | Promise<Tensor | string | null>;
export function decodeJpeg(bytes: Uint8Array, { maxPixels, maxSeconds }: { maxPixels: number; maxSeconds: number }, aside: boolean): unknown {
  const outcome = addon().decodeJpeg(bytes, maxPixels, maxSeconds, aside);
  return outcome instanceof Promise ? outcome.then(asTensor) : asTensor(outcome);
}

const asTensor = (outcome: number | string | null): Tensor | string | null => (typeof outcome === 'number' ? wrap(outcome) : outcome);
