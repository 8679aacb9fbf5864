import { join, resolve } from 'node:path';
import { dataError } from '../errors';
import { type Classes, readClassesOf } from './classes';
import { columnIndex, readCsv } from './csv';

/** Images of known class: `images[i]` is the absolute path of an image of class `classes[labels[i]]`. */
export interface LabelledSet extends Classes {
  images: string[];
  labels: Int32Array;
}

/**
 * Reads a folder with `labels.csv` (columns image and label: a path relative to the folder, and an integer) and the class
 * names and templates in `classes.json` or `classes.py`.
 *
 * @throws CleanclipError ERR_DATA when a file is missing or malformed, or a label is not the number of a class
 */
export async function readLabelledSet(folder: string): Promise<LabelledSet> {
  const file = join(folder, 'labels.csv');
  const { classes, templates } = readClassesOf(folder);
  const images: string[] = [];
  const labels: number[] = [];
  await readCsv(
    file,
    ',',
    (columns) => {
      const image = columnIndex(columns, 'image', file);
      const label = columnIndex(columns, 'label', file);
      return (fields, line) => {
        if (fields[image] === '') throw badRow(file, line, 'it names no image');
        if (!/^\d+$/.test(fields[label]) || Number(fields[label]) >= classes.length) {
          const range = `an integer from 0 to ${classes.length - 1}, the number of a class`;
          throw badRow(file, line, `expected ${range}, as its label, found "${fields[label]}"`);
        }
        images.push(resolve(folder, fields[image]));
        labels.push(Number(fields[label]));
      };
    },
    ({ line, reason }) => {
      throw badRow(file, line, reason);
    },
  );
  if (images.length === 0) throw dataError(`${file} has a header but no rows: expected one row an image.`);
  return { images, labels: Int32Array.from(labels), classes, templates };
}

const badRow = (file: string, line: number, reason: string): Error => dataError(`${file}, line ${line}: ${reason}.`);
