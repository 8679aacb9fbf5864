import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { dataError, optionError } from '../errors';
import { asReadError } from '../input_files';

const MOST_FILES = 1_000_000;

/**
 * The files of a set that is named as WebDataset does: `shards/{00000..00331}.tar`, `{train,more}/{0..9}.tar`, or
 * several sets joined by `::`. In the last part of a path, `*` stands for any characters; these files are sorted by
 * name.
 *
 * @returns paths of tars and parquet files, in order; undefined if the text names any other file
 * @throws CleanclipError ERR_OPTION: a compressed tar, a URL, or shards beside other files; ERR_DATA: no file fits
 */
export function shardFiles(text: string): string[] | undefined {
  if (!/\.(tar|parquet|tgz)\b/i.test(text) || (!isShard(text) && existsSync(text))) return undefined;
  const files = text.split('::').flatMap(braces);
  const shards = files.filter(isShard);
  const packed = files.find((file) => /\.(tgz|tar\.\w+)$/i.test(file));
  if (packed !== undefined)
    throw optionError(
      `'${packed}' is a compressed tar, whose single images cannot be read; unpack it by gunzip or zstd -d.`,
    );
  if (shards.length === 0) return undefined;
  const distant = files.find((file) => /^(https?|s3|gs|hdfs|hf|ftp):\/\/|^pipe:/i.test(file));
  if (distant !== undefined)
    throw optionError(`'${distant}' is not on this machine, and nothing is downloaded; download the shards first.`);
  if (shards.length < files.length)
    throw optionError(
      `Only .tar and .parquet files can be joined, but '${files.find((file) => !isShard(file))}' is neither.`,
    );
  return shards.flatMap(matches);
}

/** The folder of a csv, or of the first shard of a set: image paths are relative to it, and new csvs appear there. */
export function pairFolder(text: string): string {
  const [first] = braces(text.split('::')[0]);
  return dirname(isShard(first) && !(existsSync(text) && !isShard(text)) ? first : text);
}

const isShard = (file: string): boolean => /\.(tar|parquet)$/i.test(file);

/** Expands the braces of a shell: `{a,b}` and `{000..120}`. */
function braces(text: string): string[] {
  const found = /\{(?:(\d{1,12})\.\.(\d{1,12})|([^{}]*,[^{}]*))\}/.exec(text);
  if (found === null) return [text];
  const [all, from, to, list] = found;
  const count = list === undefined ? Math.abs(Number(to) - Number(from)) + 1 : 0;
  if (count > MOST_FILES) throw optionError(`'${text}' names more than ${MOST_FILES} files; expected fewer.`);
  const step = Number(to) < Number(from) ? -1 : 1;
  const width = /^0\d/.test(from ?? '') || /^0\d/.test(to ?? '') ? Math.max(from.length, to.length) : 0;
  const items =
    list?.split(',') ?? Array.from({ length: count }, (_, i) => String(Number(from) + step * i).padStart(width, '0'));
  const [before, after] = [text.slice(0, found.index), text.slice(found.index + all.length)];
  const tails = braces(after);
  if (items.length * tails.length > MOST_FILES)
    throw optionError(`'${text}' names more than ${MOST_FILES} files; expected fewer.`);
  return items.flatMap((item) => tails.map((tail) => before + item + tail));
}

/** The files that a name with `*` stands for. */
function matches(file: string): string[] {
  const name = basename(file);
  if (!name.includes('*') || existsSync(file)) return [file];
  const folder = dirname(file);
  const escaped = name.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const pattern = new RegExp(`^${escaped.join('.*')}$`, 's');
  let found: string[];
  try {
    found = readdirSync(folder).filter((each) => pattern.test(each) && !each.startsWith('.'));
  } catch (error) {
    throw asReadError(folder, error, { wanted: 'shards' });
  }
  if (found.length === 0) throw dataError(`No file is called '${file}'; expected .tar or .parquet files.`);
  return found.sort().map((each) => join(folder, each));
}
