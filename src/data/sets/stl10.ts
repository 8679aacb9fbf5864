import { statSync } from 'node:fs';
import { join } from 'node:path';

import { dataError } from '../../errors';
import { recordAddress } from '../../images/records';
import { ImageList, type LabelledImages, readBytes } from './reading';

const side = 96;
const recordBytes = 3 * side * side;

/**
 * Reads STL-10's binary version: pixels in column-major order in `<split>_X.bin`, and labels from 1, one byte each, in
 * `<split>_y.bin`.
 */
export function readStl10(folder: string, split: string, classes: number): LabelledImages {
  const list = new ImageList(classes);
  const file = join(folder, `${split}_X.bin`);
  const labelFile = join(folder, `${split}_y.bin`);
  const labels = readBytes(labelFile);
  const { size } = statSync(file);
  if (size !== labels.length * recordBytes) {
    throw dataError(
      `${file} holds ${size} bytes: expected ${labels.length * recordBytes}, ${recordBytes} for each of ` +
        `the ${labels.length} labels in ${labelFile}.`,
    );
  }
  labels.forEach((label, record) => {
    const address = recordAddress({
      file,
      record,
      offset: record * recordBytes,
      width: side,
      height: side,
      order: 'columns',
    });
    list.add(address, label - 1, labelFile, 'record', record);
  });
  return list.finish(labelFile);
}
