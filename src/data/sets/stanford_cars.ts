import { join } from 'node:path';

import { dataError } from '../../errors';
import { MatNumbers } from '../matlab';
import { readMatFile } from './mat_file';
import { ImageList, type LabelledImages, readBytes } from './reading';

/**
 * Reads Stanford Cars: structures `annotations` with the fields `fname`, a file name, and `class`, counted from 1. The
 * images are in a separate folder.
 */
export async function readStanfordCars(
  annotationFile: string,
  imageFolder: string,
  classes: number,
): Promise<LabelledImages> {
  const annotations = (await readMatFile(readBytes(annotationFile), annotationFile)).get('annotations');
  const fields = annotations instanceof Map ? annotations : undefined;
  const names = fields?.get('fname') ?? [];
  const labels = fields?.get('class') ?? [];
  if (names.length === 0 || names.length !== labels.length) {
    throw dataError(`${annotationFile}: expected structures "annotations" with the fields fname and class.`);
  }
  const list = new ImageList(classes);
  names.forEach((name, record) => {
    const label = labels[record];
    if (typeof name !== 'string')
      throw dataError(`${annotationFile}, record ${record}: expected the name of an image as fname.`);
    list.add(
      join(imageFolder, name),
      label instanceof MatNumbers ? label.at(0) - 1 : NaN,
      annotationFile,
      'record',
      record,
    );
  });
  return list.finish(annotationFile);
}
