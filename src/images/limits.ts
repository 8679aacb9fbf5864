import { optionError } from '../errors';

/** What one image may take; a larger one is refused before it is decoded. */
export interface ImageLimits {
  /** width × height; default 89,478,485, from where PIL warns of a decompression bomb */
  maxPixels?: number;
  /** of the file; default 268,435,456 */
  maxBytes?: number;
  /** of decoding; default 60 */
  maxSeconds?: number;
  /**
   * the short side that {@link resizeCrop} will give the image: so narrow a one is refused that it would become a
   * giant; default: any shape is taken
   */
  resizedTo?: number;
}

/** The limits of decoding with their defaults filled in. */
export type Limits = Required<Omit<ImageLimits, 'resizedTo'>> & Pick<ImageLimits, 'resizedTo'>;

const defaults = { maxPixels: 89_478_485, maxBytes: 2 ** 28, maxSeconds: 60 };
const mostPixels = 178_956_970; // from here PIL refuses

/** @throws CleanclipError ERR_OPTION: a limit that is no positive number, or a `maxPixels` above 178,956,970 */
export function checkLimits(given: ImageLimits): Limits {
  const limits: Limits = {
    ...defaults,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
  for (const [name, value] of Object.entries(limits)) {
    if (typeof value !== 'number' || !(value > 0))
      throw optionError(`${name} must be a number above 0, but is ${String(value)}.`);
  }
  if (limits.maxPixels > mostPixels)
    throw optionError(`maxPixels must be at most ${mostPixels}, but is ${limits.maxPixels}.`);
  return limits;
}

/** Throws a {@link Refusal} unless it is a size that an image may have. */
export function checkSize(width: number, height: number, { maxPixels, resizedTo }: Limits): void {
  if (!(width > 0 && height > 0)) throw new Refusal(`it claims ${width} × ${height} pixels`);
  if (width * height > maxPixels)
    throw new Refusal(`it has ${width} × ${height} pixels, more than the ${maxPixels} that maxPixels allows`);
  if (resizedTo === undefined) return;
  const giant = giantOf(width, height, resizedTo);
  if (giant !== undefined)
    throw new Refusal(
      `it is too narrow: ${width} × ${height} pixels, of which a short side of ${resizedTo} makes ${giant}`,
    );
}

/** How many pixels an image gets whose short side becomes `size`, if those are too many. */
export function giantOf(width: number, height: number, size: number): number | undefined {
  const pixels = size * Math.trunc((size * Math.max(height, width)) / Math.min(height, width));
  return pixels > mostPixels ? pixels : undefined;
}

/** Why the content of a file is no image that can be read: the end of a sentence. */
export class Refusal extends Error {}
