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
 * A labelled set. `images[i]` belongs to class `classes[labels[i]]`; it is the absolute path of an image file, or the
 * address of an image inside a file of many. `preprocess` reads both; an address is only valid in this process.
 */
export interface LabelledSet extends Classes, LabelledImages {}

/** Options of {@link readLabelledSet}. */
export interface LabelledSetOptions {
  /** name of the known set; without it, the folder must contain `labels.csv` and class names; default: none */
  dataType?: EvalDataType;
  /** split of a known set in torchvision's layout; ignored if the folder contains `labels.csv`; default `test` */
  split?: Split;
}

/**
 * Reads a labelled set; see docs/labelled_sets.md. The folder contains either `labels.csv` or a known set in the layout
 * of torchvision. The columns of `labels.csv` are `image`, a path relative to the folder, and `label`, the index of a
 * class from 0. Class names and templates come from `classes.json` or `classes.py` in the folder, or else from the
 * package. Nothing is downloaded, and no image is decoded.
 *
 * @param folder of the set
 * @throws CleanclipError ERR_DATA: a file is missing or malformed, or a label is not the index of a class; ERR_OPTION:
 * `folder`, `dataType` or `split` is invalid
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
  if (images.length === 0) throw dataError(`${file} has a header but no rows: expected one row per image.`);
  return { images, labels: Int32Array.from(labels) };
}

/** Reads the index of a class. pandas writes it as `3.0` if the column has gaps. */
function readLabel(label: string, classes: string[], file: string, line: number): number {
  if (/^\d+(\.0*)?$/.test(label) && Number(label) < classes.length) return Number(label);
  const named = classes.indexOf(label);
  const remedy = named < 0 ? '' : `, which is the name of class ${named}: write the number`;
  throw badRow(
    file,
    line,
    `expected an integer from 0 to ${classes.length - 1}, the index of a class, as its label, found ` +
      `"${label}"${remedy}`,
  );
}

const badRow = (file: string, line: number, reason: string): Error => dataError(`${file}, line ${line}: ${reason}.`);
