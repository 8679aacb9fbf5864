import { join } from 'node:path';

import { dataError } from '../../errors';
import { recordAddress } from '../../images/records';
import { readCifarPickle } from './cifar_pickle';
import { ImageList, type LabelledImages, readBytes } from './reading';

const side = 32;
const pixelBytes = 3 * side * side;

const address = (file: string, record: number, offset: number): string =>
  recordAddress({ file, record, offset, width: side, height: side, order: 'rows' });

/** Reads CIFAR's Python version: pickles of numpy arrays. The addresses of the images point into these files. */
export function readCifarPickles(folder: string, names: string[], classes: number): LabelledImages {
  const list = new ImageList(classes);
  for (const name of names) {
    const file = join(folder, name);
    const { labels, offset } = readCifarPickle(readBytes(file), file, pixelBytes);
    labels.forEach((label, i) => list.add(address(file, i, offset + i * pixelBytes), label, file, 'record', i));
  }
  return list.finish(folder);
}

/**
 * Reads CIFAR's binary version: records of labels, one byte each, and pixels.
 *
 * @param labelBytes label bytes per record: 1, or 2 for CIFAR-100, whose coarse label precedes the fine one
 */
export function readCifarBinary(folder: string, names: string[], labelBytes: number, classes: number): LabelledImages {
  const list = new ImageList(classes);
  const recordBytes = labelBytes + pixelBytes;
  for (const name of names) {
    const file = join(folder, name);
    const bytes = readBytes(file);
    if (bytes.length === 0 || bytes.length % recordBytes !== 0) {
      throw dataError(
        `${file} holds ${bytes.length} bytes: expected records of ${recordBytes} bytes each, so it is truncated ` +
          'or another file.',
      );
    }
    for (let record = 0, start = 0; start < bytes.length; record++, start += recordBytes) {
      list.add(address(file, record, start + labelBytes), bytes[start + labelBytes - 1], file, 'record', record);
    }
  }
  return list.finish(folder);
}
