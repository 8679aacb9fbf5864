import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { append, writeFileWhole } from '../../files';
import { readRegular } from '../../input_files';
import { type Beginning, isBefore, type MetricsRecord, type Reporter } from './reporter';

/** The reporter of every run: metrics.jsonl, one JSON object a line. A resumed run reads its earlier records in it. */
export class MetricsFile implements Reporter {
  /** the records that a resumed run keeps */
  kept: MetricsRecord[] = [];
  private readonly path: string;

  /** @param folder folder of the run */
  constructor(folder: string) {
    this.path = join(folder, 'metrics.jsonl');
  }

  /** Tells whether an earlier run has left the file. */
  exists(): boolean {
    return existsSync(this.path);
  }

  /**
   * Empties the file for a new run. For a resumed run it drops the records of later epochs and steps, which will be
   * written again; records of other checkpoints are kept.
   */
  begin({ kind, at }: Pick<Beginning, 'kind' | 'at'>): void {
    if (kind === 'beside') return;
    if (at === undefined) return writeFileWhole(this.path, '');
    const lines = readRegular(this.path, { wanted: 'the records of the run that goes on' })
      .toString('utf8')
      .split('\n');
    this.kept = lines.flatMap(parseRecord).filter((record) => record.checkpoint !== undefined || isBefore(record, at));
    writeFileWhole(this.path, this.kept.map((record) => `${JSON.stringify(record)}\n`).join(''));
  }

  /** Appends an object. */
  record(record: MetricsRecord): void {
    append(this.path, `${JSON.stringify(record)}\n`);
  }
}

/**
 * Parses a line of metrics.jsonl: returns its record, or nothing. The last line of a killed run may be incomplete, and
 * a power cut may leave anything.
 */
export function parseRecord(line: string): MetricsRecord[] {
  try {
    const record = JSON.parse(line) as MetricsRecord | null;
    return Number.isFinite(record?.epoch) && Number.isFinite(record?.step) ? [record!] : [];
  } catch {
    return [];
  }
}
