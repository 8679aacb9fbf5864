import { randomBytes } from 'node:crypto';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';

import { dataError } from '../errors';
import { asReadError, openRegularAsync } from '../input_files';

/** An image inside a file of many: its red, green and blue planes of bytes, one after another, uncompressed. */
export interface ImageRecord {
  /** absolute path */
  file: string;
  /** which image of the file, from 0; for messages */
  record: number;
  /** where its first byte lies */
  offset: number;
  width: number;
  height: number;
  /** whether a plane is stored row by row, or column by column as MATLAB does */
  order: 'rows' | 'columns';
}

/** Colours of an image, interleaved: `data` is [height, width, 3]. */
export interface Pixels {
  data: Uint8Array;
  width: number;
  height: number;
}

const longestSide = 4096; // far above the sets' 96 pixels; a made-up address cannot ask for all memory

/**
 * Random, and the same in the threads that this one starts: only the readers of sets can name a record, never a csv,
 * which could name the bytes of any file.
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
 * The text that stands for the image wherever a path of an image file may stand, in this process alone:
 * `/data/test_batch.bin#record=17&at=52242&size=32x32&by=rows&key=…`.
 */
export const recordAddress = ({ file, record, offset, width, height, order }: ImageRecord): string =>
  `${file}#record=${record}&at=${offset}&size=${width}x${height}&by=${order}&key=${secret}`;

/** The record that a text of {@link recordAddress} stands for, or undefined when it is the path of a file. */
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
 * Reads the pixels of a record, and nothing else of its file.
 *
 * @throws CleanclipError ERR_DATA, naming file and record, when the file is missing or ends before the record does
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
