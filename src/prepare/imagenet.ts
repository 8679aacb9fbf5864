import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { writeCsv } from '../data/csv_writer';
import { MatNumbers, type MatValue, readMatlab } from '../data/matlab';
import { readBytes, readLines } from '../data/sets/reading';
import { dataError } from '../errors';
import { MissingImages, pathFrom } from './pairs_csv';
import type { Prepare } from './types';

/**
 * Prepares ImageNet's validation set: `labels.csv` of the images `ILSVRC2012_val_00000001.JPEG`, … from the devkit's
 * `meta.mat` and `ILSVRC2012_validation_ground_truth.txt`. Labels count the WordNet ids in their order, as
 * torchvision's do, while the devkit has an order of its own.
 */
export const prepareImageNet: Prepare = async ({ input, images, output, allowMissing }, check) => {
  const data = ['data', '.', 'ILSVRC2012_devkit_t12/data']
    .map((part) => join(input, part))
    .find((folder) => existsSync(join(folder, 'meta.mat')));
  if (data === undefined)
    throw dataError(`'${input}' has no data/meta.mat: expected the folder ILSVRC2012_devkit_t12 of the devkit.`);
  const labels = await labelsById(join(data, 'meta.mat'));
  const truth = join(data, 'ILSVRC2012_validation_ground_truth.txt');
  const csv = output ?? join(images!, 'labels.csv');
  const missing = new MissingImages(allowMissing);
  const lines = readLines(truth);
  const rows = lines.map(([line, number], i): [string, number] => {
    const label = /^\d+$/.test(line) ? labels.get(Number(line)) : undefined;
    if (label === undefined)
      throw dataError(
        `${truth}, line ${number}: expected the id of a class from 1 to ${labels.size}, found '${line}'.`,
      );
    const image = join(resolve(images!), `ILSVRC2012_val_${String(i + 1).padStart(8, '0')}.JPEG`);
    missing.note(image, 1);
    check(i + 1, lines.length, 'images looked for');
    return [pathFrom(csv, image), label];
  });
  if (rows.length === 0) throw dataError(`${truth} is empty: expected the id of a class on each line.`);
  missing.check(truth);
  writeCsv(csv, ['image', 'label'], rows);
  return { output: resolve(csv), rows: rows.length, images: rows.length, missing: missing.rows, leftOut: 0 };
};

/** Reads which label each of the devkit's ids has. Only synsets without children are classes. */
async function labelsById(file: string): Promise<Map<number, number>> {
  let synsets: MatValue | undefined;
  try {
    synsets = (await readMatlab(readBytes(file))).get('synsets');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== undefined) throw error;
    throw dataError(`${file} ${(error as Error).message}.`, error);
  }
  const fields = synsets instanceof Map ? synsets : new Map<string, MatValue[]>();
  const [ids, names, children] = ['ILSVRC2012_ID', 'WNID', 'num_children'].map((name) => fields.get(name) ?? []);
  const number = (value: MatValue): number => (value instanceof MatNumbers ? value.at(0) : NaN);
  const classes = names
    .map((name, i) => ({ name, id: number(ids[i]), isClass: number(children[i]) === 0 }))
    .filter(({ name, id, isClass }) => typeof name === 'string' && id > 0 && isClass)
    .map(({ name, id }) => ({ name: name as string, id }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  if (classes.length === 0)
    throw dataError(`${file} has no synsets with WNID, ILSVRC2012_ID and num_children: expected that of the devkit.`);
  return new Map(classes.map(({ id }, label) => [id, label]));
}
