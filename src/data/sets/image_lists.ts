import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { dataError } from '../../errors';
import { ImageList, type LabelledImages, rankNames, readBytes, readLines } from './reading';

// Sets whose images are named in text files.

/** Reads DTD: lines `<class>/<image>`. Classes are numbered by their sorted names, separately in each file. */
export function readDtd(folder: string, lists: string[], classes: number): LabelledImages {
  const list = new ImageList(classes);
  for (const name of lists) {
    const file = join(folder, 'labels', name);
    const lines = readLines(file);
    const classOf = (line: string): string => line.split('/', 1)[0];
    const ranks = rankNames(
      lines.map(([line]) => classOf(line)),
      classes,
      file,
    );
    for (const [line, number] of lines)
      list.add(join(folder, 'images', line), ranks.get(classOf(line))!, file, 'line', number);
  }
  return list.finish(folder);
}

/** Reads FGVC-Aircraft: lines `<image> <variant>`. Variants are numbered in the order of variants.txt. */
export function readAircraft(folder: string, split: string, classes: number): LabelledImages {
  const variants = new Map(readLines(join(folder, 'variants.txt')).map(([variant], i) => [variant, i]));
  if (variants.size !== classes)
    throw dataError(
      `${join(folder, 'variants.txt')} names ${variants.size} variants: expected all ${classes} of the set.`,
    );
  const file = join(folder, `images_variant_${split}.txt`);
  const list = new ImageList(classes);
  for (const [line, number] of readLines(file)) {
    const [, image, variant] = /^(\S+) (.+)$/.exec(line) ?? [];
    const label = variants.get(variant);
    if (label === undefined)
      throw dataError(
        `${file}, line ${number}: expected the name of an image and a variant of variants.txt, found "${line}".`,
      );
    list.add(join(folder, 'images', `${image}.jpg`), label, file, 'line', number);
  }
  return list.finish(file);
}

/**
 * Reads Food-101: `meta/<split>.json`, an object of lists `{"<class>": ["<class>/<image>", …]}`, or the same paths as
 * lines of `meta/<split>.txt`.
 */
export function readFood101(folder: string, split: string, classes: number): LabelledImages {
  const json = join(folder, 'meta', `${split}.json`);
  const file = existsSync(json) ? json : join(folder, 'meta', `${split}.txt`);
  const paths =
    file === json ? pathsOf(json) : readLines(file).map(([line]): [string, string] => [line.split('/', 1)[0], line]);
  const ranks = rankNames(
    paths.map(([name]) => name),
    classes,
    file,
  );
  const list = new ImageList(classes);
  paths.forEach(([name, path], i) =>
    list.add(join(folder, 'images', `${path}.jpg`), ranks.get(name)!, file, 'entry', i),
  );
  return list.finish(file);
}

/** The class and path of each image. */
function pathsOf(json: string): [string, string][] {
  let lists: unknown;
  try {
    lists = JSON.parse(readBytes(json).toString('utf8'));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw dataError(`${json} is not valid JSON: ${error.message}.`, error);
  }
  const isList = (value: unknown): value is string[] =>
    Array.isArray(value) && value.every((path) => typeof path === 'string');
  const entries = typeof lists === 'object' && lists !== null ? Object.entries(lists) : [];
  return entries.flatMap(([name, paths]) => {
    if (isList(paths)) return paths.map((path): [string, string] => [name, path]);
    throw dataError(`${json}: expected a list of the images of "${name}".`);
  });
}

/** Reads Oxford-IIIT Pet: lines `<image> <class, from 1> <species> <breed>`. */
export function readPets(folder: string, split: string, classes: number): LabelledImages {
  const file = join(folder, 'annotations', `${split}.txt`);
  const list = new ImageList(classes);
  for (const [line, number] of readLines(file)) {
    const fields = line.split(/\s+/);
    if (fields.length !== 4)
      throw dataError(`${file}, line ${number}: expected an image and its class, species and breed, found "${line}".`);
    list.add(join(folder, 'images', `${fields[0]}.jpg`), Number(fields[1]) - 1, file, 'line', number);
  }
  return list.finish(file);
}
