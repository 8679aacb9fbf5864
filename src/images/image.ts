import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { dataError } from '../errors';
import { torch, type Tensor } from '../torch';
import { decodeJpeg } from '../torch/jpeg';
import { transparentColour } from './gif';
import { cmykToRgb, dropAlpha, saturate } from './pixels';
import { decodePpm, isPpm } from './ppm';
import { parseAddress, readRecord, type Pixels } from './records';

sharp.cache(false); // an image is read once an epoch: a cache of decoded images only holds memory
sharp.concurrency(1); // one thread an image; many images at once are the data workers' matter

/** Above this PIL calls an image a decompression bomb. */
const maxPixels = 178_956_970;

const options = { failOn: 'none', ignoreIcc: true, limitInputPixels: maxPixels } as const;

/**
 * Decodes an image to the pixels of PIL's `Image.open(file).convert('RGB')`: EXIF rotation and colour profile are ignored, alpha
 * is dropped, 16-bit grey saturates at 255, of an animation the first frame counts, and of a truncated file what is there.
 * JPEG, PNG, WebP, GIF, TIFF, PPM and AVIF are read; AVIF may differ from PIL where colour is subsampled.
 *
 * @param source path, or the address of an image inside a file of many (see `recordAddress`), or the bytes of the file
 * @returns uint8 [3, height, width], stored interleaved (channels last), which the resize reads fastest
 * @throws CleanclipError ERR_DATA: missing, empty, not an image, broken, or more than 178,956,970 pixels
 */
export async function decodeImage(source: string | Uint8Array): Promise<Tensor> {
  const record = typeof source === 'string' ? parseAddress(source) : undefined;
  if (record !== undefined) return asTensor(await readRecord(record));
  const bytes = typeof source === 'string' ? await read(source) : source;
  return decodeOrdinaryJpeg(bytes) ?? asTensor(await decodeFile(bytes, source));
}

const asTensor = ({ data, width, height }: Pixels): Tensor =>
  torch.tidy(() => torch.tensor(data, { shape: [height, width, 3] }).permute([2, 0, 1]));

/** Most images are JPEGs, which libjpeg-turbo decodes in half of sharp's time, to the same pixels. */
function decodeOrdinaryJpeg(bytes: Uint8Array): Tensor | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined;
  return torch.tidy(() => decodeJpeg(bytes, maxPixels)?.permute([2, 0, 1]));
}

async function decodeFile(bytes: Uint8Array, source: string | Uint8Array): Promise<Pixels> {
  const name = typeof source === 'string' ? source : `the buffer of ${source.length} bytes`;
  if (bytes.length === 0) {
    throw dataError(`Expected an image in ${name}, which is empty; fetch it again or drop its row.`);
  }
  return decode(bytes).catch((error: Error) => {
    const reason = error.message.replace(/^Input (buffer|file|image) /, 'it ').trim().split('\n', 1)[0];
    throw dataError(`Expected a readable image (JPEG, PNG, WebP, GIF, TIFF, PPM or AVIF) in ${name}, but ${reason}.`, error);
  });
}

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`;
    throw dataError(`Expected an image in ${path}, but ${reason}.`, error);
  }
}

async function decode(bytes: Uint8Array): Promise<Pixels> {
  if (isPpm(bytes)) return decodePpm(bytes, maxPixels);
  const image = sharp(bytes, options);
  const { format, space, channels, hasAlpha } = await image.metadata();
  if (space === 'cmyk') {
    const { data, info } = await image.pipelineColourspace('cmyk').toColourspace('cmyk').raw().toBuffer({ resolveWithObject: true });
    return { ...info, data: cmykToRgb(data, info.channels) };
  }
  if (space === 'grey16' && channels === 1) {
    const { data, info } = await image.toColourspace('grey16').raw({ depth: 'ushort' }).toBuffer({ resolveWithObject: true });
    return { ...info, data: saturate(new Uint16Array(data.buffer, data.byteOffset, info.width * info.height)) };
  }
  if (format === 'gif' && hasAlpha) {
    const { data, info } = await image.ensureAlpha().raw().toBuffer({ resolveWithObject: true });
    return { ...info, data: dropAlpha(data, transparentColour(bytes)) };
  }
  const { data, info } = await image.removeAlpha().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  return { ...info, data };
}
