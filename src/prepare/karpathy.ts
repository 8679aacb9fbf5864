import { join, resolve } from 'node:path';

import { dataError } from '../errors';
import { readRegular } from '../input_files';
import { type Captioned, writePairs } from './pairs_csv';
import type { Prepare, PrepareOptions } from './types';

const LARGEST = 2 ** 29 - 1; // bytes of a JSON or csv; dataset_coco.json has 144 MB, and a string holds no more

/** Prepares Flickr30k or MSCOCO: Karpathy's JSON, or Flickr30k's `results.csv`. */
export const prepareCaptions: Prepare = async (options, check) => {
  const { input, output, images, set, captions, allowMissing } = options;
  const text = readRegular(input, { wanted: 'captions as JSON or csv', maxBytes: LARGEST })
    .toString('utf8')
    .replace(/^\uFEFF/, '');
  const isJson = /^\s*\{/.test(text);
  if (!isJson && set === 'mscoco')
    throw dataError(`${input} is no JSON: expected Karpathy's dataset_coco.json, {"images": […]}.`);
  const all = isJson ? fromJson(text, options) : fromResults(text, input, resolve(images!));
  const pairs = all.map(({ image, captions: every }) => ({ image, captions: every.slice(0, captions) }));
  return writePairs(output!, pairs, { source: input, allowMissing, check });
};

interface KarpathyImage {
  filename?: unknown;
  /** MSCOCO's folder, such as val2014 */
  filepath?: unknown;
  split?: unknown;
  sentences?: { raw?: unknown }[];
}

function fromJson(text: string, { input, images, split, set }: PrepareOptions): Captioned[] {
  const entries = parse(text, input);
  const chosen = entries.filter((entry) => split === 'all' || entry.split === split);
  if (chosen.length === 0) {
    const splits = [...new Set(entries.map((entry) => String(entry.split)))].slice(0, 10).join(', ');
    throw dataError(`${input} has no image of the split ${split}; its splits are ${splits}: choose one with --split.`);
  }
  const root = resolve(images!);
  return chosen.map(({ filename, filepath, sentences }, i) => {
    const captions = Array.isArray(sentences) ? sentences.map((sentence) => sentence?.raw) : [];
    if (!isName(filename) || captions.length === 0 || !captions.every((caption) => typeof caption === 'string'))
      throw dataError(`${input}: image ${i} of the split has no filename or no sentences with a text "raw".`);
    const folder = set === 'mscoco' && isName(filepath) ? filepath : '';
    return { image: join(root, folder, filename), captions };
  });
}

function parse(text: string, file: string): KarpathyImage[] {
  let value: { images?: unknown };
  try {
    value = JSON.parse(text) as typeof value;
  } catch (error) {
    throw dataError(`${file} is not valid JSON: ${(error as Error).message}.`, error);
  }
  const isList = Array.isArray(value.images) && value.images.every((each) => typeof each === 'object' && each !== null);
  if (isList && (value.images as unknown[]).length > 0) return value.images as KarpathyImage[];
  throw dataError(`${file} has no list "images": expected Karpathy's JSON, {"images": [{"filename": …}]}.`);
}

/** Whether a value is the name of a file or folder, which leads nowhere else. */
const isName = (value: unknown): value is string =>
  typeof value === 'string' && /^[^/\\\0]+$/.test(value) && value !== '.' && value !== '..';

/**
 * Reads `results.csv`: `image_name| comment_number| comment`. One of its 158,915 lines lacks the second `|`, which is
 * read all the same.
 */
function fromResults(text: string, file: string, root: string): Captioned[] {
  const lines = text.split(/\r\n|\n|\r/);
  if (!/^\s*image(_name)?\s*\|/i.test(lines[0]))
    throw dataError(`${file}, line 1: expected Flickr30k's header image_name| comment_number| comment.`);
  const byImage = new Map<string, string[]>();
  for (const [i, line] of lines.entries()) {
    if (i === 0 || line.trim() === '') continue;
    const [, name, caption] = /^\s*([^|]+?)\s*\|\s*\d+\s*\|?\s*(.*\S)\s*$/.exec(line) ?? [];
    if (!isName(name)) throw dataError(`${file}, line ${i + 1}: expected an image, a number and a caption between |.`);
    const captions = byImage.get(name);
    if (captions === undefined) byImage.set(name, [caption]);
    else captions.push(caption);
  }
  if (byImage.size === 0) throw dataError(`${file} has a header but no rows: expected five captions per image.`);
  return [...byImage].map(([name, captions]) => ({ image: join(root, name), captions }));
}
