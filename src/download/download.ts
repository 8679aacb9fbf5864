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
import { crcName, hashName } from './names';
import type { DownloadOptions } from './options';
import { Reporter } from './reporter';
import { writeResults } from './results';
import { Store } from './store';
import { UrlTable } from './url_table';

/** What `download` did. Paths are absolute. */
export interface DownloadResult {
  /** the pairs, for training: `image` and `caption` of the rows that have an image */
  csv: string;
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
    const { format, size, compat } = options;
    const settings = { format, ...(format !== 'original' && { size }), ...(compat !== undefined && { compat }) };
    const journal = new Journal(join(work, 'journal'), { download: 1, ...settings });
    try {
      return await downloadTo(dir, work, table, journal, options, hooks);
    } finally {
      journal.close();
    }
  } finally {
    held.release();
  }
}

async function downloadTo(
  dir: string,
  work: string,
  table: UrlTable,
  journal: Journal,
  options: DownloadOptions,
  { onProgress, signal }: JobHooks,
): Promise<DownloadResult> {
  const files = { csv: join(dir, 'train.csv'), status: join(dir, 'status.csv') };
  const rows = await table.count(options);
  const store = new Store(dir, work, options);
  const nameOf = options.compat === 'reference' ? crcName : hashName;
  const fetcher = new Fetcher(journal, store, nameOf, { ...options, userAgent: options.userAgent ?? ownName() });
  const reporter = new Reporter(rows, fetcher.tally, onProgress);
  const stop = (): void => fetcher.stop();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    if (signal?.aborted) fetcher.stop();
    for await (const group of table.rows(options)) {
      if (fetcher.ended()) break;
      await fetcher.take(group);
    }
    await fetcher.finish();
  } finally {
    signal?.removeEventListener('abort', stop);
    reporter.close();
    await store.close();
  }
  if (signal?.aborted)
    throw new CleanclipError('The download was stopped; run the same command again to go on.', 'ERR_ABORTED');
  await writeResults(table, journal, nameOf, files);
  const { images, asked } = fetcher.tally;
  return { ...files, rows, images, failed: rows - images, asked };
}

/** The name that servers see, unless the user gives one. */
function ownName(): string {
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
  return `cleanclip/${version}`;
}
