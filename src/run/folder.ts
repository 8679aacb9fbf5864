import { existsSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

import { dataError, shown } from '../errors';
import { readRegular } from '../input_files';
import { checkpointNames } from './checkpoint';
import type { MetricsRecord } from './log';
import { parseRecord } from './reporters/metrics_file';

const MAX_BYTES = 2 ** 28; // of one file of a run

/** What the folder of a run holds: `logs/<name>/`. */
export interface RunFolder {
  /** absolute path */
  path: string;
  /** name of the folder */
  name: string;
  /** the flags in params.txt, by name */
  params: ReadonlyMap<string, string>;
  /** the records of metrics.jsonl, in order */
  records: readonly MetricsRecord[];
  /** lines of metrics.jsonl that hold no record, such as a torn last line */
  torn: number;
  /** lines of output.log, without those that have no time */
  lines: readonly LogLine[];
  /** names of the checkpoints, sorted */
  checkpoints: readonly string[];
  /** names of the files that are missing */
  missing: readonly string[];
}

/** A line of output.log. */
export interface LogLine {
  /** local time, `2026-01-31,12:00:00` */
  time: string;
  level: 'INFO' | 'WARNING';
  text: string;
}

const FILES = ['params.txt', 'output.log', 'metrics.jsonl'] as const;

/** Tells whether a path is the folder of a run: it has params.txt, output.log or metrics.jsonl. */
export const isRunFolder = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true &&
  FILES.some((file) => existsSync(join(path, file)));

/**
 * Reads the folder of a run. Files may be missing, and lines that hold no record are counted.
 * @throws CleanclipError `ERR_DATA` when the folder is missing or is no run, or a file cannot be read
 */
export function readRunFolder(path: string): RunFolder {
  if (!isRunFolder(path)) throw dataError(noRun(path));
  const missing = FILES.filter((file) => !existsSync(join(path, file)));
  const read = (file: (typeof FILES)[number]): string[] => {
    if (missing.includes(file)) return [];
    const bytes = readRegular(join(path, file), { wanted: `the ${file} of a run`, maxBytes: MAX_BYTES });
    return bytes.toString('utf8').split('\n').filter(Boolean);
  };
  const lines = read('metrics.jsonl');
  const records = lines.flatMap(parseRecord);
  return {
    path: resolve(path),
    name: basename(resolve(path)),
    params: new Map(read('params.txt').flatMap(parseParam)),
    records,
    torn: lines.length - records.length,
    lines: read('output.log').flatMap(parseLine),
    checkpoints: checkpointNames(path).sort((a, b) => a.localeCompare(b, 'en', { numeric: true })),
    missing,
  };
}

/**
 * Reads the folders of several runs, as `logs/*` names them. Beside runs it may name files and other folders, which are
 * left out.
 * @returns the runs, and the paths that are no runs
 * @throws CleanclipError `ERR_DATA` when a path is missing, or none is a run
 */
export function readRunFolders(paths: readonly string[]): { runs: RunFolder[]; leftOut: string[] } {
  const gone = paths.find((path) => !existsSync(path));
  if (gone !== undefined) throw dataError(noRun(gone));
  const folders = paths.filter(isRunFolder);
  if (folders.length === 0) throw dataError(noRun(paths[0]));
  const distinct = new Map(folders.map((folder) => [resolve(folder), folder]));
  return { runs: [...distinct.values()].map(readRunFolder), leftOut: paths.filter((path) => !folders.includes(path)) };
}

function noRun(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  const reason =
    found === undefined
      ? 'there is no such folder'
      : found.isDirectory()
        ? `it has no ${FILES.join(', ').replace(/, (?=\w+\.\w+$)/, ' or ')}; name logs/NAME, or logs/* for all runs`
        : 'it is a file; name the folder of the run, logs/NAME';
  return `Expected the folder of a run in '${shown(path)}', but ${reason}.`;
}

function parseParam(line: string): [string, string][] {
  const [, name, value] = /^(\w+): (.*)$/.exec(line) ?? [];
  return name === undefined ? [] : [[name, value]];
}

function parseLine(line: string): LogLine[] {
  const [, time, level, text] = /^(\d{4}-\d\d-\d\d,\d\d:\d\d:\d\d) \| (INFO|WARNING) \| (.*)$/.exec(line) ?? [];
  return time === undefined ? [] : [{ time, level: level as LogLine['level'], text }];
}
