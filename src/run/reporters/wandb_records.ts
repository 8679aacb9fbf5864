// What cleanclip writes into the file of a W&B run, as objects of data/reports/wandb.proto.
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

import { packageRoot } from '../../paths';
import { flagName } from './reporter';
import { decodeMessage, encodeMessage } from './schema';

/** A value of a row or a summary. */
export interface Item {
  key: string;
  value_json: string;
}

/** A record of the file: one of its fields is set. */
export interface WandbRecord {
  history?: { item: Item[]; step?: { num: number } };
  summary?: { update: Item[] };
  exit?: { exit_code: number; runtime: number };
  run?: { start_time?: { seconds: number; nanos?: number } };
  files?: object;
  metric?: object;
  header?: object;
}

/** What a run is called. */
export interface WandbRun {
  id: string;
  /** milliseconds */
  start: number;
  /** the options of the job, by name in camelCase */
  options: Record<string, unknown>;
  /** only for a job that measures the model of a run */
  beside?: boolean;
}

/** The project that the Python code names. */
const PROJECT = 'clip-defense';

const producer = (): string => {
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
  return `cleanclip ${version}`;
};

/** Encodes a record. */
export const encodeRecord = (record: WandbRecord & { num: number }): Uint8Array =>
  encodeMessage('wandb.proto', 'wandb_internal.Record', record);

/** Decodes a record. @throws Error for bytes that are none */
export const decodeRecord = (bytes: Uint8Array): WandbRecord =>
  decodeMessage('wandb.proto', 'wandb_internal.Record', bytes);

/** Returns an item. NaN and infinity stand there as Python's JSON has them. */
export const item = (key: string, value: unknown): Item => ({
  key,
  value_json: typeof value === 'number' && !Number.isFinite(value) ? String(value) : JSON.stringify(value),
});

/** Returns the records with which every file begins. The values of all rows are drawn over `step`. */
export function firstRecords({ id, start, options, beside = false }: WandbRun): WandbRecord[] {
  const { WANDB_PROJECT, WANDB_ENTITY } = process.env;
  const { name, notes, wandbProject = WANDB_PROJECT || PROJECT, wandbEntity = WANDB_ENTITY || undefined } = options;
  const config = Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .map(([option, value]) => item(flagName(option), value));
  const run = {
    run_id: id,
    entity: wandbEntity,
    project: wandbProject,
    config: { update: config },
    ...(beside && { run_group: name, job_type: 'evaluation' }),
    display_name: beside ? `${String(name)} evaluation` : name,
    notes,
    host: hostname(),
    start_time: { seconds: Math.floor(start / 1000), nanos: (start % 1000) * 1e6 },
  };
  return [
    { header: { version_info: { producer: producer(), min_consumer: '0.70.0' } } },
    { run },
    { metric: { name: 'step', options: { defined: true } } },
    { metric: { glob_name: '*', step_metric: 'step', options: { step_sync: true, defined: true } } },
    { files: { files: [{ path: 'params.txt' }] } },
  ];
}

/** Returns the number of a row of history, `epoch` or `step`; NaN when it has none. */
export function numberOf({ item: items }: { item: Item[] }, key: string): number {
  const found = items.find((one) => one.key === key);
  const value: unknown = found === undefined ? undefined : JSON.parse(found.value_json);
  return typeof value === 'number' ? value : NaN;
}
