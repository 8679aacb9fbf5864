import { writeFileWhole } from '../../files';
import { readRegular } from '../../input_files';
import type { LoopState } from '../state';
import { isBefore } from './reporter';
import { frameRecord, HEADER, readRecords } from './wandb_log';
import {
  decodeRecord,
  encodeRecord,
  firstRecords,
  type Item,
  numberOf,
  type WandbRecord,
  type WandbRun,
} from './wandb_records';

/** How far a file is that goes on. */
export interface Continued {
  /** milliseconds, when the run began */
  start: number;
  /** records in the file */
  records: number;
  /** rows of history among them */
  rows: number;
}

/**
 * Writes the file of a run anew, so that it goes on from a state. The rows of later steps are dropped, for they will be
 * written again; so are the end of the killed or stopped process, and a record that was cut off.
 * @throws CleanclipError `ERR_DATA` when the file cannot be read or written
 */
export function continueFile(path: string, run: WandbRun, at: LoopState): Continued {
  const file = readRegular(path, { wanted: 'the W&B records of the run that goes on' });
  const records = readRecords(file).flatMap(decoded);
  const began = records.find((record) => record.run)?.run?.start_time;
  const start = began === undefined ? run.start : began.seconds * 1000 + Math.floor((began.nanos ?? 0) / 1e6);
  const before = ({ history }: WandbRecord): boolean =>
    history !== undefined && isBefore({ epoch: numberOf(history, 'epoch'), step: numberOf(history, 'step') }, at);
  const history = records
    .filter(before)
    .map((record, num) => ({ history: { item: renumbered(record.history!.item, num), step: { num } } }));
  const summary = new Map(history.flatMap((record) => record.history.item.map((one) => [one.key, one] as const)));
  const first = firstRecords({ ...run, start });
  const named = new Set(first.map(({ files }) => JSON.stringify(files)));
  const kept = [
    ...first,
    ...records.filter(({ files }) => files && !named.has(JSON.stringify(files))).map(({ files }) => ({ files })),
    ...history,
    ...(summary.size > 0 ? [{ summary: { update: [...summary.values()] } }] : []),
  ];
  writeFileWhole(path, fileOf(kept));
  return { start, records: kept.length, rows: history.length };
}

function decoded(bytes: Uint8Array): WandbRecord[] {
  try {
    return [decodeRecord(bytes)];
  } catch {
    return [];
  }
}

const renumbered = (items: Item[], num: number): Item[] =>
  items.map((one) => (one.key === '_step' ? { ...one, value_json: String(num) } : one));

/** Returns the bytes of a file of these records. */
function fileOf(records: WandbRecord[]): Buffer {
  const parts: Buffer[] = [HEADER];
  let position = HEADER.length;
  for (const [i, record] of records.entries()) {
    const framed = frameRecord(encodeRecord({ ...record, num: i + 1 }), position);
    parts.push(framed);
    position += framed.length;
  }
  return Buffer.concat(parts);
}
