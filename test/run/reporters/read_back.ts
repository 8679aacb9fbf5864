import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { decodeMessage } from '../../../src/run/reporters/schema';
import { readRecords } from '../../../src/run/reporters/wandb_log';
import { decodeRecord, type WandbRecord } from '../../../src/run/reporters/wandb_records';
import { interpreter } from '../../parity/python';

/** An event of TensorBoard. */
export interface Event {
  step: number;
  file_version?: string;
  session_log?: { status: number };
  summary?: { value: { tag: string; simple_value?: number; image?: object; tensor?: object }[] };
}

/** Reads the event files of a folder, each up to a record that is cut off. */
export function eventFiles(folder: string): Event[][] {
  const names = readdirSync(folder).filter((name) => name.startsWith('events.out.tfevents.'));
  return names.sort().map((name) => {
    const file = readFileSync(join(folder, name));
    const events: Event[] = [];
    for (let at = 0; at + 12 <= file.length;) {
      const length = Number(file.readBigUInt64LE(at));
      if (at + 16 + length > file.length) break;
      const data = file.subarray(at + 12, at + 12 + length);
      events.push({ step: 0, ...decodeMessage('tensorboard.proto', 'tensorboard.Event', data) });
      at += 16 + length;
    }
    return events;
  });
}

/** Returns the path of the one W&B file of a run. */
export function wandbFile(run: string): string {
  const [name, ...others] = readdirSync(join(run, 'wandb')).filter((one) => one.startsWith('offline-run-'));
  expect(others).toEqual([]);
  return join(run, 'wandb', name, `run-${name.split('-').at(-1)!}.wandb`);
}

/** Reads the records of a W&B file. */
export const wandbRecords = (file: string): WandbRecord[] => readRecords(readFileSync(file)).map(decodeRecord);

/** Reads the rows of history of a W&B file, without what depends on time. */
export const wandbRows = (file: string): Record<string, unknown>[] =>
  wandbRecords(file).flatMap(({ history }) => (history === undefined ? [] : [valuesOf(history.item)]));

const valuesOf = (items: { key: string; value_json: string }[]): Record<string, unknown> =>
  withoutTimes(Object.fromEntries(items.map(({ key, value_json: json }) => [key, JSON.parse(json) as unknown])));

/** Leaves out what differs from run to run. */
export const withoutTimes = (record: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(record).filter(
      ([name]) => !/^(train\/)?(time|pairs_per_second|images_per_second|data_wait|_runtime|_timestamp)$/.test(name),
    ),
  );

/** Reads a report by the Python package, or returns null where the package is missing. */
export function readByPython(kind: 'tensorboard' | 'wandb', path: string): unknown {
  const program = process.env.CLEANCLIP_REPORTS_PYTHON || interpreter;
  const { stdout, stderr } = spawnSync(program, [join(__dirname, 'read_back.py'), kind, path], { encoding: 'utf8' });
  if (stdout === '') throw new Error(stderr);
  const found = JSON.parse(stdout) as unknown;
  if (found === null) console.log(`Not read back by Python: ${stderr.trim()}`);
  return found;
}
