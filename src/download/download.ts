import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { CleanclipError, optionError } from '../errors';
import { makeFolder } from '../folders';
import { lock } from '../lock';
import { packageRoot } from '../paths';
import type { JobHooks } from '../progress';
import { addon } from '../torch/addon';
import { Fetcher } from './fetcher';
import { Journal } from './journal';
import { crcName, hashName, type NameOf } from './names';
import type { DownloadOptions } from './options';
import { Reporter } from './reporter';
import { writeResults } from './results';
import { shardImageName, ShardPacker } from './shards';
import { Store } from './store';
import { UrlTable } from './url_table';

/** What `download` did. Paths are absolute. */
export interface DownloadResult {
  /** the rows that have an image, for `trainData`: train.csv, or the tars as `…/shards/*.tar` */
  trainData: string;
  /** what came of each row: `row`, `url`, `status`, `error`, `bytes`, `width` and `height` */
  status: string;
  /** number of rows of the range */
  rows: number;
  /** number of those that have an image */
  images: number;
  /** number of those that have none */
  failed: number;
  /** number of rows that this run asked for; the others were done before, or have no URL */
  asked: number;
}

/**
 * Downloads the images of a file of captions and URLs. What is done is kept in the folder, so that a run that was
 * stopped or killed goes on where it was.
 * @throws CleanclipError `ERR_OPTION` when the folder holds a download of other settings, or another process writes to
 * it; `ERR_DATA` when the file cannot be used, or the disk refuses; `ERR_ABORTED` when the signal aborts it
 */
export async function runDownload(options: DownloadOptions, hooks: JobHooks = {}): Promise<DownloadResult> {
  const dir = resolve(options.dir);
  const table = await UrlTable.open(options.file, options);
  const work = join(dir, '.download');
  makeFolder(work);
  const held = lock(join(work, 'lock'), {
    refusal: (holder) =>
      optionError(
        `The folder '${dir}' is in use by ${holder}; wait until that download ends, or choose another --dir.`,
      ),
    flock: (fd) => addon().lockFile(fd),
  });
  try {
    const { format, size, compat, shards } = options;
    const settings = {
      format,
      ...(format !== 'original' && { size }),
      ...(compat !== undefined && { compat }),
      ...(shards !== undefined && { shards }),
    };
    const rows = await table.count(options);
    const journal = new Journal(join(work, 'journal'), { download: 1, ...settings }, options.start + rows);
    try {
      return await downloadTo({ dir, work, table, rows, journal }, options, hooks);
    } finally {
      journal.close();
    }
  } finally {
    held.release();
  }
}

async function downloadTo(
  { dir, work, table, rows, journal }: { dir: string; work: string; table: UrlTable; rows: number; journal: Journal },
  options: DownloadOptions,
  { onProgress, signal }: JobHooks,
): Promise<DownloadResult> {
  const { shards: perShard, start } = options;
  const nameOf = namesOf(options);
  const images = perShard === undefined ? join(dir, 'images') : join(work, 'images');
  const plan = perShard && { shards: join(dir, 'shards'), images, perShard, start, end: start + rows };
  const packer = plan ? new ShardPacker(plan, table, journal, nameOf) : undefined;
  const store = new Store(images, work, options);
  const asked = { ...options, userAgent: options.userAgent ?? ownName() };
  const fetcher = new Fetcher(journal, store, nameOf, asked, packer);
  const packing = packer?.run() ?? Promise.resolve();
  packing.catch((error: unknown) => fetcher.fail(error));
  const reporter = new Reporter(rows, fetcher.tally, onProgress);
  const stop = (): void => {
    fetcher.stop();
    packer?.end();
  };
  signal?.addEventListener('abort', stop, { once: true });
  try {
    if (signal?.aborted) stop();
    for await (const group of table.rows(options)) {
      if (fetcher.ended()) break;
      await fetcher.take(group);
    }
    await fetcher.finish();
    packer?.allDone();
    await packing;
  } finally {
    signal?.removeEventListener('abort', stop);
    reporter.close();
    packer?.end();
    await Promise.allSettled([packing]);
    await store.close();
    packer?.tidy();
  }
  if (signal?.aborted)
    throw new CleanclipError('The download was stopped; run the same command again to go on.', 'ERR_ABORTED');
  if (packer === undefined) store.sync();
  const [csv, status] = [join(dir, 'train.csv'), join(dir, 'status.csv')];
  await writeResults(table, journal, nameOf, packer === undefined ? { csv, status } : { status });
  const found = fetcher.tally.images - (packer?.lost ?? 0);
  const trainData = packer === undefined ? csv : join(dir, 'shards', '*.tar');
  return { trainData, status, rows, images: found, failed: rows - found, asked: fetcher.tally.asked };
}

function namesOf({ compat, shards }: DownloadOptions): NameOf {
  if (shards !== undefined) return shardImageName(shards);
  return compat === 'reference' ? crcName : hashName;
}

/** The name that servers see, unless the user gives one. */
function ownName(): string {
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
  return `cleanclip/${version}`;
}
