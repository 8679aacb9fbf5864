// A run over many rows, in a process of its own for the sake of its peak memory: to read the csv, and two batches.
import { execFileSync } from 'node:child_process';

import { pairsCsv } from './inputs.mjs';

export async function prepare({ folder, rows }) {
  const file = await pairsCsv(folder, rows);
  return () => JSON.parse(execFileSync(process.execPath, ['read_pairs.mjs', file], { encoding: 'utf8' }));
}
