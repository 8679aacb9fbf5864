// `node bench/compare.mjs <other checkout, built> [row …]` measures rows of table.mjs in both checkouts in turn,
// without Python. It prints the median of five rounds of each, and their ratio. Above 1, this checkout is slower.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { openSide } from './sides.mjs';
import { measurements } from './table.mjs';

const ROUNDS = 5;
const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const [other, ...wanted] = process.argv.slice(2);
if (other === undefined) {
  console.error('Usage: node bench/compare.mjs <other checkout, built> [row …]');
  process.exit(1);
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const chosen = measurements.filter(({ id }) => wanted.length === 0 || wanted.includes(id));
const folder = mkdtempSync(join(tmpdir(), 'cleanclip-compare-'));
try {
  for (const { id, module, args, rows } of chosen) {
    const sides = [];
    for (const tree of [root, resolve(other)]) {
      sides.push(await openSide('node', { module, args: { folder, ...args } }, { root: tree, env: process.env }));
    }
    const taken = sides.map(() => []);
    for (let round = 0; round < ROUNDS; round++) {
      for (const [i, side] of sides.entries()) taken[i].push(await side.measure());
    }
    await Promise.all(sides.map((side) => side.close()));
    for (const { title, key } of rows) {
      const [here, there] = taken.map((results) => median(results.map((result) => result[key])));
      if (there === undefined) continue; // a row that the other tree does not measure
      console.log(
        `${id}: ${title}: ${here.toPrecision(3)} here, ${there.toPrecision(3)} there: ${(here / there).toFixed(3)}`,
      );
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
