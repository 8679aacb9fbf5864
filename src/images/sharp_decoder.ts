import sharp from 'sharp';

import { checkSize, type Limits, Refusal } from './limits';

sharp.cache(false); // each image is read once per epoch, so a cache would only hold memory
sharp.concurrency(1); // one thread per image; the data workers decode many images at once

/**
 * The formats that libvips decodes. The caller checks the first bytes, so that libvips' other readers, such as SVG's,
 * never see a file.
 */
export type SharpFormat = 'jpeg' | 'webp' | 'tiff' | 'heif';

/**
 * Decodes the first page of an image with libvips, on another thread.
 * @returns interleaved bytes of `info.channels` channels: grey, RGB, or CMYK if `isCmyk`
 * @throws Refusal
 */
export async function decodeBySharp(
  bytes: Uint8Array,
  format: SharpFormat,
  limits: Limits,
): Promise<{ data: Buffer; info: sharp.OutputInfo; isCmyk: boolean }> {
  try {
    // without this, a damaged TIFF would come out black
    const failOn = format === 'tiff' ? 'truncated' : 'none';
    const image = sharp(bytes, { failOn, ignoreIcc: true, limitInputPixels: limits.maxPixels }).timeout({
      seconds: Math.ceil(limits.maxSeconds),
    });
    const found = await image.metadata();
    if (found.format !== format) throw new Refusal(`it is of the format ${found.format}`);
    checkSize(found.width, found.height, limits);
    const isCmyk = found.space === 'cmyk';
    const pixels = isCmyk
      ? image.pipelineColourspace('cmyk').toColourspace('cmyk')
      : image.removeAlpha().toColourspace('srgb');
    return { ...(await within(pixels.raw().toBuffer({ resolveWithObject: true }), limits.maxSeconds)), isCmyk };
  } catch (error) {
    if (error instanceof Refusal || !(error instanceof Error) || /allocat|memory/i.test(error.message)) throw error;
    if (/bad seek|unexpected end|premature end/i.test(error.message))
      throw new Refusal('it ends before its content does');
    throw new Refusal(
      error.message
        .replace(/^Input (buffer|file|image) /, 'it ')
        .trim()
        .split('\n', 1)[0]
        .replace(/\.$/, ''),
    );
  }
}

/** Throws a {@link Refusal} when the promise takes longer; its work goes on, and its result is ignored. */
async function within<T>(promise: Promise<T>, seconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Refusal(`decoding it takes longer than ${seconds} s`)),
      1000 * Math.min(seconds + 1, 2_000_000),
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
