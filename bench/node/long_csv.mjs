// Measures reading a csv of any length, as csv_run.mjs does. The csv is made quickly, and removed at the end.
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { pairsCsv } from './inputs.mjs';

const BLOCK = 30_000; // rows that are written again and again

export async function prepare({ folder, rows }) {
  const [head, ...block] = readFileSync(await pairsCsv(folder, BLOCK), 'utf8')
    .trimEnd()
    .split('\n');
  const file = join(folder, `long_${rows}.csv`);
  process.once('exit', () => rmSync(file, { force: true }));
  const out = openSync(file, 'w');
  writeSync(out, `${head}\n`);
  const whole = `${block.join('\n')}\n`;
  for (let left = rows; left > 0; left -= BLOCK)
    writeSync(out, left >= BLOCK ? whole : `${block.slice(0, left).join('\n')}\n`);
  closeSync(out);
  return () => JSON.parse(execFileSync(process.execPath, ['read_pairs.mjs', file], { encoding: 'utf8' }));
}
