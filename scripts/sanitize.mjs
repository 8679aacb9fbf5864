// Builds native/pixels with AddressSanitizer and UndefinedBehaviorSanitizer and calls it with random sizes and bytes:
//   node scripts/sanitize.mjs [--seed 1] [--rounds 4000]
// It exits with 1 at the first read or write outside a buffer, or at undefined arithmetic; stderr explains it.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, rounds: { type: 'string', default: '4000' } },
});
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, '.cache', 'sanitize');
const program = join(folder, 'pixels');
const pixels = join(root, 'native', 'pixels');
const sources = readdirSync(pixels)
  .filter((name) => name.endsWith('.cc'))
  .map((name) => join(pixels, name));

function run(command, args) {
  const { status, error, stderr } = spawnSync(command, args, {
    stdio: ['ignore', 'inherit', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (error !== undefined) console.error(`${command} cannot be run: ${error.message}`);
  console.error(stderr.split('\r').pop()); // the last round, and the fault if there was one
  if (status !== 0) process.exit(1);
}

mkdirSync(folder, { recursive: true });
const flags = [
  '-std=c++20',
  '-O1',
  '-g',
  '-ffp-contract=off',
  '-fsanitize=address,undefined',
  '-fno-sanitize-recover=all',
  `-I${join(root, 'native')}`,
];
run(process.env.CXX ?? 'c++', [...flags, ...sources, join(root, 'test', 'fuzz', 'pixels.cc'), '-o', program]);
run(program, [values.seed, values.rounds]);
