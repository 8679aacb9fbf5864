import { statSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';

import { writeCsv } from '../data/csv_writer';
import { dataError } from '../errors';
import type { Check, PrepareResult } from './types';

/** An image and its captions. */
export interface Captioned {
  /** absolute path */
  image: string;
  captions: readonly string[];
}

/** Counts images that are not there, and refuses them unless they are allowed. */
export class MissingImages {
  /** rows without an image */
  rows = 0;
  private images = 0;
  private first: string | undefined;

  constructor(private readonly allowed: boolean) {}

  /** Notes whether an image is there, for a number of rows. */
  note(image: string, rows: number): void {
    if (isFile(image)) return;
    this.rows += rows;
    this.images++;
    this.first ??= image;
  }

  /** @throws CleanclipError `ERR_DATA` when images are missing, and that is not allowed */
  check(source: string): void {
    if (this.images === 0 || this.allowed) return;
    throw dataError(
      `${this.images} images that ${source} names are not there, '${this.first}' first; name their folder with ` +
        '--images, or write their rows all the same with --allow_missing.',
    );
  }
}

const isFile = (path: string): boolean => {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
};

/** The path of an image as a csv names it: relative to the csv's folder if it lies below that, else absolute. */
export function pathFrom(csv: string, image: string): string {
  const path = relative(dirname(resolve(csv)), image);
  return path.startsWith('..') ? image : path;
}

/**
 * Writes a csv of pairs with a row for each caption; captions of an image are in consecutive rows.
 * @param how `source` names what the pairs are from, for errors
 */
export function writePairs(
  output: string,
  pairs: readonly Captioned[],
  { source, allowMissing, check }: { source: string; allowMissing: boolean; check: Check },
): PrepareResult {
  const missing = new MissingImages(allowMissing);
  let rows = 0;
  for (const [i, { image, captions }] of pairs.entries()) {
    missing.note(image, captions.length);
    check(i + 1, pairs.length, 'images looked for');
    rows += captions.length;
  }
  missing.check(source);
  function* lines(): Generator<string[]> {
    for (const { image, captions } of pairs)
      for (const caption of captions) yield [pathFrom(output, image), caption.replace(/\s+/g, ' ').trim()];
  }
  writeCsv(output, ['image', 'caption'], lines());
  return { output: resolve(output), rows, images: pairs.length, missing: missing.rows, leftOut: 0 };
}
