import { CleanclipError, dataError } from '../errors';
import { type Tensor, torch } from '../torch';
import { isAvif, unturned } from './avif';
import { decodeBmp, isBmp } from './bmp';
import { decodeGif, isGif } from './gif';
import { decodeJpeg, isJpeg } from './jpeg';
import { checkLimits, type ImageLimits, type Limits, Refusal } from './limits';
import { describeMember, parseMember, readMember } from './members';
import { decodePng, isPng } from './png';
import { decodePnm, isPnm } from './pnm';
import { decodeRaster, levels, rasterOf, wholePiece } from './raster';
import { readImageFile } from './read_file';
import { parseAddress, type Pixels, readRecord } from './records';
import { decodeBySharp, type SharpFormat } from './sharp_decoder';
import { decodeTiff } from './tiff';
import { isTiff } from './tiff_directory';
import { isWebp, isWholeWebp } from './webp';

export type { ImageLimits } from './limits';

/**
 * Decodes an image to the pixels of PIL's `Image.open(file).convert('RGB')` with `LOAD_TRUNCATED_IMAGES`. EXIF rotation
 * (except a TIFF's) and colour profiles are ignored; alpha is dropped; 16-bit grey saturates at 255. An animation gives
 * its first frame, and a truncated file the pixels before its end. The formats are JPEG, PNG, WebP, GIF, TIFF, BMP,
 * PBM, PGM, PPM, PFM and AVIF; the first bytes tell them, not the file name. docs/images.md says what is refused.
 *
 * @param source path, or the address of one image inside a file of many (see `recordAddress` and `memberAddress`), or
 * the bytes of the file
 * @param limits default: those of {@link ImageLimits}
 * @returns uint8 [3, H, W], stored interleaved (channels last), which the resize reads fastest
 * @throws CleanclipError ERR_DATA: the file is missing, not regular, empty, not an image, damaged or beyond a limit;
 * ERR_OPTION: a limit is invalid; ERR_TORCH_OOM: there is not enough memory
 */
export async function decodeImage(source: string | Uint8Array, limits: ImageLimits = {}): Promise<Tensor> {
  const checked = checkLimits(limits);
  if (typeof source === 'string' && source.includes('\0'))
    throw dataError(`Expected the path of an image, but ${JSON.stringify(source)} has a null character.`);
  const record = typeof source === 'string' ? parseAddress(source) : undefined;
  if (record !== undefined) return asTensor(await readRecord(record));
  const { name, bytes } = await contentOf(source, checked.maxBytes);
  if (bytes.length === 0)
    throw dataError(`Expected an image in ${name}, which is empty; download it again or remove its row.`);
  try {
    const pixels = await decode(bytes, checked);
    return torch.tidy(() => {
      const channelsFirst = pixels.permute([2, 0, 1]);
      pixels.dispose();
      return channelsFirst;
    });
  } catch (error) {
    throw asDataError(name, error as Error);
  }
}

/** The bytes of an image file, and how messages call it. */
async function contentOf(source: string | Uint8Array, maxBytes: number): Promise<{ name: string; bytes: Uint8Array }> {
  // the copy of a buffer, because nobody changes it meanwhile
  if (typeof source !== 'string') return { name: `the buffer of ${source.length} bytes`, bytes: Buffer.from(source) };
  const member = source.includes('#') ? parseMember(source) : undefined;
  return member === undefined
    ? { name: source, bytes: await readImageFile(source, maxBytes) }
    : { name: describeMember(member), bytes: await readMember(member, maxBytes) };
}

const asTensor = ({ data, width, height }: Pixels): Tensor =>
  torch.tidy(() => torch.tensor(data, { shape: [height, width, 3] }).permute([2, 0, 1]));

function asDataError(name: string, error: Error): Error {
  if (error instanceof Refusal)
    return dataError(`Expected a readable image (${FORMATS}) in ${name}, but ${error.message}.`, error);
  if (error instanceof CleanclipError) return error;
  if (/allocat|memory/i.test(error.message))
    return new CleanclipError(`There is not enough memory to decode the image in ${name}.`, 'ERR_TORCH_OOM', {
      cause: error,
    });
  return dataError(
    `Expected a readable image (${FORMATS}) in ${name}, but decoding it failed: ${error.message}.`,
    error,
  );
}

const FORMATS = 'JPEG, PNG, WebP, GIF, TIFF, BMP, PNM or AVIF';

/** Picks the decoder by the first bytes, as PIL does, so that no decoder sees a file of another format. */
function decode(bytes: Uint8Array, limits: Limits): Tensor | Promise<Tensor> {
  if (isJpeg(bytes)) return decodeJpeg(bytes, limits);
  if (isPng(bytes)) return decodePng(bytes, limits);
  if (isWebp(bytes)) {
    if (!isWholeWebp(bytes)) throw new Refusal('it ends before its content does');
    return decodeForeign(bytes, 'webp', limits);
  }
  if (isGif(bytes)) return decodeGif(bytes, limits);
  if (isTiff(bytes)) return decodeTiff(bytes, limits);
  if (isBmp(bytes)) return decodeBmp(bytes, limits);
  if (isPnm(bytes)) return decodePnm(bytes, limits);
  if (isAvif(bytes)) return decodeForeign(unturned(bytes), 'heif', limits);
  throw new Refusal(`its first bytes are those of ${foreignFormat(bytes)}`);
}

async function decodeForeign(bytes: Uint8Array, format: SharpFormat, limits: Limits): Promise<Tensor> {
  const { data, info } = await decodeBySharp(bytes, format, limits);
  const { width, height, channels } = info;
  const pieces = wholePiece(width, height, 0, width * channels);
  return decodeRaster(
    data,
    rasterOf({
      width,
      height,
      pieces,
      step: 8 * channels,
      bitOffsets: channels < 3 ? [0, 0, 0] : [0, 8, 16],
      tables: levels(8, 3),
    }),
    { most: 0 },
  );
}

/** The likely format of a file that is not read, for the message. */
function foreignFormat(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.subarray(0, 1024)).toString('latin1');
  const starts = (...signs: string[]): boolean => signs.some((sign) => text.startsWith(sign));
  if (/<svg/i.test(text)) return 'an SVG, which is a drawing; render it to pixels';
  if (/^\s*<(!doctype|html|head|body|\?xml)/i.test(text)) return 'a page or other text, not a picture';
  if (starts('%PDF')) return 'a PDF';
  if (/^....ftyp(hei|hev|mif1|msf1)/s.test(text)) return 'an HEIC; convert it to JPEG or AVIF';
  if (starts('\0\0\0\fjP', '\xff\x4f\xff\x51')) return 'a JPEG 2000';
  if (starts('\xff\n', '\0\0\0\fJXL')) return 'a JPEG XL';
  if (starts('DDS ', 'qoif', '\x01\xda', '\n\x05')) return 'a format that is rare (DDS, QOI, SGI or PCX)';
  if (starts('\0\0\x01\0', '\0\0\x02\0')) return 'an icon or a TGA';
  return 'none of these';
}
