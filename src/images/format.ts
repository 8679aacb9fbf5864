import { isAvif } from './avif';
import { isBmp } from './bmp';
import { isGif } from './gif';
import { isJpeg } from './jpeg';
import { isPng } from './png';
import { isPnm } from './pnm';
import { isTiff } from './tiff_directory';
import { isWebp } from './webp';

const formats = [
  { is: isJpeg, extension: 'jpg' },
  { is: isPng, extension: 'png' },
  { is: isWebp, extension: 'webp' },
  { is: isGif, extension: 'gif' },
  { is: isTiff, extension: 'tif' },
  { is: isBmp, extension: 'bmp' },
  { is: isPnm, extension: 'pnm' },
  { is: isAvif, extension: 'avif' },
];

/** The extension of the format that the first bytes of an image tell; undefined for any other. */
export const formatOf = (bytes: Uint8Array): string | undefined => formats.find(({ is }) => is(bytes))?.extension;
