import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, extname, join, resolve } from 'node:path';

import { writeCsv } from '../data/csv_writer';
import { dataError } from '../errors';
import { writeFolderWhole } from '../folders';
import { readTar, type TarFile } from './tar_entries';
import type { Prepare, PrepareResult } from './types';

const LARGEST = 2 ** 28; // bytes of an image or a list in a tar
const IMAGES = new Set(['.jpg', '.jpeg', '.png', '.webp', '.gif', '.bmp']);

/**
 * Prepares SBU captions from tars: those that img2dataset writes (`000000000.jpg` with `.txt` or `.json`) become images
 * and `train.csv`. The authors' own archive, which has only lists of URLs and captions, becomes `sbu.tsv` for
 * `cleanclip download`. The folder appears whole or not at all.
 */
export const prepareSbu: Prepare = async ({ input, output }, check) => {
  const tars = tarsOf(input);
  let result: PrepareResult | undefined;
  await writeFolderWhole(output!, async (temporary) => {
    const set = new SbuFolder(temporary);
    const sizes = tars.map((tar) => statSync(tar).size);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    for (const [i, tar] of tars.entries()) {
      const before = sizes.slice(0, i).reduce((sum, size) => sum + size, 0);
      await readTar(tar, LARGEST, (file) => {
        check(before + file.read, total, 'bytes of tars');
        set.take(basename(tar).replace(/\.tar(\..*)?$|\.tgz$/i, ''), file);
      });
      set.endTar();
    }
    result = set.finish(input, resolve(output!));
  });
  return result!;
};

function tarsOf(input: string): string[] {
  let names: string[];
  try {
    if (!statSync(input).isDirectory()) return [input];
    names = readdirSync(input);
  } catch (error) {
    throw dataError(`Expected a tar or a folder of tars in '${input}', but ${(error as Error).message}.`, error);
  }
  const tars = names.filter((name) => /\.(tar|tar\.gz|tgz)$/i.test(name)).sort();
  if (tars.length === 0) throw dataError(`'${input}' has no tar: expected files such as 00000.tar.`);
  return tars.map((name) => join(input, name));
}

/** Collects the images and captions of tars in a folder. */
class SbuFolder {
  private readonly rows: [image: string, caption: string][] = [];
  private readonly lists = new Map<'urls' | 'captions', string[]>();
  private readonly names = new Set<string>();
  private images = new Map<string, string>(); // of the present tar, by key
  private captions = new Map<string, string>();
  private leftOut = 0;

  constructor(private readonly folder: string) {}

  /** Takes a file. Files of a pair have the same name but for the ending. */
  take(tar: string, { name, content }: TarFile): void {
    const ending = extname(name).toLowerCase();
    const key = name.slice(0, name.length - ending.length);
    const list = /(urls|captions)\.txt$/i.exec(name)?.[1].toLowerCase() as 'urls' | 'captions' | undefined;
    if (list !== undefined)
      this.lists.set(
        list,
        content
          .toString('utf8')
          .replace(/\r?\n$/, '')
          .split(/\r?\n/),
      );
    else if (IMAGES.has(ending)) this.images.set(key, this.store(`${tar}_${key}${ending}`, content));
    else if (ending === '.txt') this.captions.set(key, content.toString('utf8'));
    else if (ending === '.json' && !this.captions.has(key)) {
      const caption = captionOf(content);
      if (caption !== undefined) this.captions.set(key, caption);
    }
  }

  /** Joins the images of a tar with their captions. */
  endTar(): void {
    for (const [key, image] of this.images) {
      const caption = this.captions.get(key)?.replace(/\s+/g, ' ').trim() ?? '';
      if (caption === '') this.leftOut++;
      else this.rows.push([image, caption]);
    }
    this.images = new Map();
    this.captions = new Map();
  }

  /** Writes the csv or tsv, which lies in `output` once that has its name. */
  finish(input: string, output: string): PrepareResult {
    const [urls, captions] = [this.lists.get('urls'), this.lists.get('captions')];
    const { rows, leftOut } = this;
    if (rows.length > 0) {
      writeCsv(join(this.folder, 'train.csv'), ['image', 'caption'], rows);
      return { output: join(output, 'train.csv'), rows: rows.length, images: rows.length, missing: 0, leftOut };
    }
    if (urls === undefined || captions === undefined)
      throw dataError(`${input} has no image with a caption, and no lists of URLs and captions.`);
    if (urls.length !== captions.length)
      throw dataError(`${input} has ${urls.length} URLs but ${captions.length} captions: expected one for each.`);
    const lines = urls.map((url, i) => `${captions[i].replace(/\s+/g, ' ').trim()}\t${url.trim()}\n`);
    writeFileSync(join(this.folder, 'sbu.tsv'), lines.join(''));
    return { output: join(output, 'sbu.tsv'), rows: urls.length, images: 0, missing: 0, leftOut: 0 };
  }

  private store(name: string, content: Buffer): string {
    const safe = name.replace(/[^\w.-]/g, '_');
    if (this.names.has(safe)) throw dataError(`Two images would be named '${safe}': expected each once.`);
    this.names.add(safe);
    writeFileSync(join(this.folder, safe), content, { flag: 'wx' });
    return safe;
  }
}

function captionOf(json: Buffer): string | undefined {
  try {
    const { caption } = JSON.parse(json.toString('utf8')) as { caption?: unknown };
    return typeof caption === 'string' ? caption : undefined;
  } catch {
    return undefined;
  }
}
