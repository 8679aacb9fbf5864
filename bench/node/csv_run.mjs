// Measures reading a long csv and two batches, in a process of its own, so that its peak memory can be measured.
import { execFileSync } from 'node:child_process';

import { pairsCsv } from './inputs.mjs';

export async function prepare({ folder, rows }) {
  const file = await pairsCsv(folder, rows);
  return () => JSON.parse(execFileSync(process.execPath, ['read_pairs.mjs', file], { encoding: 'utf8' }));
}
