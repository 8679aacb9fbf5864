import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { dataError } from '../../errors';
import { columnIndex, readCsv } from '../csv';
import { byCodePoints, ImageList, type LabelledImages, rankNames } from './reading';

// Sets with a folder for each class.

/**
 * Reads a set with one folder per class. Classes are numbered by the sorted names of the folders. A class has the files
 * with one ending; the files of nested folders come after its own.
 */
export function readClassFolders(folder: string, ending: string, classes: number): LabelledImages {
  const names = readdirSync(folder).filter((name) => statSync(join(folder, name)).isDirectory());
  const list = new ImageList(classes);
  for (const [name, label] of rankNames(names, classes, folder)) {
    const files = filesBelow(join(folder, name)).filter((file) => file.toLowerCase().endsWith(ending));
    if (files.length === 0)
      throw dataError(`${join(folder, name)} holds no image: expected files that end in ${ending}.`);
    files.forEach((file, i) => list.add(file, label, folder, 'image', i));
  }
  return list.finish(folder);
}

/**
 * Reads GTSRB's test images: a csv file with the columns Filename and ClassId among others, separated by semicolons.
 */
export async function readGtsrbTest(file: string, classes: number): Promise<LabelledImages> {
  const list = new ImageList(classes);
  const images = join(dirname(file), 'GTSRB', 'Final_Test', 'Images');
  await readCsv(
    file,
    { delimiter: ';' },
    (columns) => {
      const name = columnIndex(columns, 'Filename', file);
      const label = columnIndex(columns, 'ClassId', file);
      return (fields, { line }) =>
        list.add(
          join(images, fields[name].trim()),
          fields[label].trim() === '' ? NaN : Number(fields[label]),
          file,
          'line',
          line,
        );
    },
    ({ line, reason }) => {
      throw dataError(`${file}, line ${line}: ${reason}.`);
    },
  );
  return list.finish(file);
}

/** The files below a folder, folder by folder. Folders, and the files in each, are sorted by code points. */
const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .sort((a, b) => byCodePoints(a.parentPath, b.parentPath) || byCodePoints(a.name, b.name))
    .map((entry) => join(entry.parentPath, entry.name));
