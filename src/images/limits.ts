import { optionError } from '../errors';

/** The limits of one image. An image beyond `maxPixels` or `maxBytes` is refused before it is decoded. */
export interface ImageLimits {
  /**
   * the most pixels (width × height); default 89,478,485, above which PIL warns of a decompression bomb; at most
   * 178,956,970
   */
  maxPixels?: number;
  /** the most bytes of the file; default 268,435,456 */
  maxBytes?: number;
  /** the most seconds of decoding; default 60 */
  maxSeconds?: number;
  /**
   * the short side in pixels that {@link resizeCrop} will give the image: an image so narrow that it would then have
   * more than 178,956,970 pixels is refused; default: every shape is accepted
   */
  resizedTo?: number;
}

/** The limits of decoding with their defaults filled in. */
export type Limits = Required<Omit<ImageLimits, 'resizedTo'>> & Pick<ImageLimits, 'resizedTo'>;

const defaults = { maxPixels: 89_478_485, maxBytes: 2 ** 28, maxSeconds: 60 };
const mostPixels = 178_956_970; // PIL refuses more

/**
 * Fills in the defaults.
 * @throws CleanclipError ERR_OPTION: a limit is not a number above 0, or `maxPixels` is above 178,956,970
 */
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

/** Throws a {@link Refusal} unless an image may have this size. */
export function checkSize(width: number, height: number, { maxPixels, resizedTo }: Limits): void {
  if (!(width > 0 && height > 0)) throw new Refusal(`it claims ${width} × ${height} pixels`);
  if (width * height > maxPixels)
    throw new Refusal(`it has ${width} × ${height} pixels, more than the ${maxPixels} that maxPixels allows`);
  if (resizedTo === undefined) return;
  const giant = giantOf(width, height, resizedTo);
  if (giant !== undefined)
    throw new Refusal(
      `it is too narrow: ${width} × ${height} pixels, which become ${giant} when its short side is ${resizedTo}`,
    );
}

/** The number of pixels of an image whose short side becomes `size`, if it is above PIL's limit; else undefined. */
export function giantOf(width: number, height: number, size: number): number | undefined {
  const pixels = size * Math.trunc((size * Math.max(height, width)) / Math.min(height, width));
  return pixels > mostPixels ? pixels : undefined;
}

/** Why the content of a file cannot be decoded. The message is the end of a sentence that begins "…, but". */
export class Refusal extends Error {}
