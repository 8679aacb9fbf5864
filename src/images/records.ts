import { randomBytes } from 'node:crypto';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';

import { dataError } from '../errors';
import { asReadError, openRegularAsync } from '../input_files';

/** An image inside a file of many: uncompressed planes of red, green and blue bytes, one after another. */
export interface ImageRecord {
  /** absolute path */
  file: string;
  /** index of the image in the file, from 0; for messages */
  record: number;
  /** byte offset of its first byte */
  offset: number;
  width: number;
  height: number;
  /** whether a plane is stored row by row, or column by column as MATLAB does */
  order: 'rows' | 'columns';
}

/** Interleaved RGB of an image: `data` is [height, width, 3]. */
export interface Pixels {
  data: Uint8Array;
  width: number;
  height: number;
}

const longestSide = 4096; // far above the 96 pixels of STL-10; so a forged address cannot ask for all memory

/**
 * A random key that the threads started by this one inherit. Only code that knows it can address a record; otherwise a
 * csv could name the bytes of any file.
 */
const secret = ((): string => {
  const name = 'cleanclip.records';
  const given = getEnvironmentData(name);
  if (typeof given === 'string') return given;
  const fresh = randomBytes(16).toString('hex');
  setEnvironmentData(name, fresh);
  return fresh;
})();

/**
 * The address of a record, which is accepted wherever the path of an image is, in this process only. Example:
 * `/data/test_batch.bin#record=17&at=52242&size=32x32&by=rows&key=…`.
 */
export const recordAddress = ({ file, record, offset, width, height, order }: ImageRecord): string =>
  `${file}#record=${record}&at=${offset}&size=${width}x${height}&by=${order}&key=${secret}`;

/** The record of an address from {@link recordAddress}; undefined for any other path. */
export function parseAddress(address: string): ImageRecord | undefined {
  const found = /^(.+)#record=(\d+)&at=(\d+)&size=(\d{1,4})x(\d{1,4})&by=(rows|columns)&key=([0-9a-f]{32})$/s.exec(
    address,
  );
  if (found === null || found[7] !== secret) return undefined;
  const [record, offset, width, height] = found.slice(2, 6).map(Number);
  if (Math.max(width, height) > longestSide || Math.min(width, height) === 0 || !Number.isSafeInteger(offset))
    return undefined;
  return { file: found[1], record, offset, width, height, order: found[6] as ImageRecord['order'] };
}

/**
 * Reads the pixels of one record of its file.
 *
 * @throws CleanclipError ERR_DATA: the file is missing, or ends before the record does
 */
export async function readRecord(image: ImageRecord): Promise<Pixels> {
  const { file, record, offset, width, height, order } = image;
  const planes = new Uint8Array(3 * width * height);
  const wanted = `image ${record}`;
  const { handle } = await openRegularAsync(file, { wanted });
  let bytesRead = 0;
  try {
    ({ bytesRead } = await handle.read(planes, 0, planes.length, offset));
  } catch (error) {
    throw asReadError(file, error, { wanted });
  } finally {
    await handle.close();
  }
  if (bytesRead < planes.length) {
    throw dataError(`Expected image ${record} in ${file} at byte ${offset}, but the file ends before its last pixel.`);
  }
  return { data: interleave(planes, width, height, order), width, height };
}

function interleave(planes: Uint8Array, width: number, height: number, order: ImageRecord['order']): Uint8Array {
  const [toRight, down] = order === 'rows' ? [1, width] : [height, 1];
  const area = width * height;
  const rgb = new Uint8Array(planes.length);
  let to = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0, from = y * down; x < width; x++, from += toRight) {
      rgb[to++] = planes[from];
      rgb[to++] = planes[from + area];
      rgb[to++] = planes[from + 2 * area];
    }
  }
  return rgb;
}
