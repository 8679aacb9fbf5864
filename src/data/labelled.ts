import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { checkOptions, checkText, dataError, optionError } from '../errors';
import { show } from '../show';
import { type Classes, readClassesOf } from './classes';
import { columnIndex, readCsv } from './csv';
import { type EvalDataType, evalDataTypes } from './data_types';
import { readSet, type Split } from './sets';
import type { LabelledImages } from './sets/reading';

/**
 * Images of known class: `images[i]` is of class `classes[labels[i]]`. It is the absolute path of an image file, or
 * stands for an image inside a file of many; `decodeImage` reads both.
 */
export interface LabelledSet extends Classes, LabelledImages {}

/** Options of {@link readLabelledSet}. */
export interface LabelledSetOptions {
  /** which set it is; without it the folder must have labels.csv and class names of its own */
  dataType?: EvalDataType;
  /** which half of a set that lies there as torchvision has it; a folder with labels.csv is one half. Default test */
  split?: Split;
}

/**
 * Reads a labelled set: a folder with `labels.csv` (columns image and label: a path relative to the folder, and an
 * integer), or else a known set in the layout that torchvision uses; see docs/labelled_sets.md. Class names and
 * templates are those of `classes.json` or `classes.py` in the folder, or else those that ship with the package for the
 * known set. Nothing is downloaded.
 *
 * @throws CleanclipError ERR_DATA when a file is missing or malformed, or a label is not the number of a class;
 * ERR_OPTION for no known set
 * @example
 * ```ts
 * const { images, labels, classes } = await readLabelledSet('data/CIFAR10', { dataType: 'CIFAR10', split: 'test' });
 * ```
 */
export async function readLabelledSet(folder: string, options: LabelledSetOptions = {}): Promise<LabelledSet> {
  checkOptions('The options of readLabelledSet', options);
  const { dataType, split = 'test' } = options;
  checkText('The folder of readLabelledSet', folder);
  if (dataType !== undefined && !evalDataTypes.includes(dataType)) {
    throw optionError(`dataType must be one of ${evalDataTypes.join(', ')}, but is ${show(dataType)}.`);
  }
  if (split !== 'test' && split !== 'train')
    throw optionError(`split must be 'test' or 'train', but is ${show(split)}.`);
  const { classes, templates } = readClassesOf(folder, dataType);
  const file = join(folder, 'labels.csv');
  const listed = dataType === undefined || existsSync(file);
  const images = listed
    ? await readLabelsCsv(folder, file, classes)
    : await readSet(folder, dataType, split, classes.length);
  return { ...images, classes, templates };
}

async function readLabelsCsv(folder: string, file: string, classes: string[]): Promise<LabelledImages> {
  const images: string[] = [];
  const labels: number[] = [];
  await readCsv(
    file,
    { delimiter: ',' },
    (columns) => {
      const image = columnIndex(columns, 'image', file);
      const label = columnIndex(columns, 'label', file);
      return (fields, { line }) => {
        const path = fields[image].trim();
        if (path === '') throw badRow(file, line, 'it names no image');
        images.push(resolve(folder, path));
        labels.push(readLabel(fields[label].trim(), classes, file, line));
      };
    },
    ({ line, reason }) => {
      throw badRow(file, line, reason);
    },
  );
  if (images.length === 0) throw dataError(`${file} has a header but no rows: expected one row an image.`);
  return { images, labels: Int32Array.from(labels) };
}

/** The number of a class, which pandas writes as `3.0` where a column has gaps. */
function readLabel(label: string, classes: string[], file: string, line: number): number {
  if (/^\d+(\.0*)?$/.test(label) && Number(label) < classes.length) return Number(label);
  const named = classes.indexOf(label);
  const remedy = named < 0 ? '' : `, which is the name of class ${named}: write the number`;
  throw badRow(
    file,
    line,
    `expected an integer from 0 to ${classes.length - 1}, the number of a class, as its label, found ` +
      `"${label}"${remedy}`,
  );
}

const badRow = (file: string, line: number, reason: string): Error => dataError(`${file}, line ${line}: ${reason}.`);
