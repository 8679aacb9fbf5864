import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, posix, resolve } from 'node:path';

import { temporaryFolder } from '../data/temporary';

// scripts/gpu: what a machine with a GPU gets. `bash check.sh --cpu` rehearses it there (docs/gpu.md); it compiles the
// addon, so it is no part of the tests.
const root = resolve(__dirname, '../..');
const scripts = join(root, 'scripts/gpu');
const check = readFileSync(join(scripts, 'check.sh'), 'utf8');

test('check.sh has a program for each of its stages, which end in order within nine minutes', () => {
  const plan = /^ends='(.*)'$/m.exec(check)![1].split(' ');
  const stages = plan.filter((_, i) => i % 2 === 0);
  const ends = plan.filter((_, i) => i % 2 === 1).map(Number);
  expect(stages).toEqual(['setup', 'smoke', 'parity', 'steps', 'epoch', 'distributed', 'quickstart', 'faults']);
  for (const stage of stages.slice(1)) expect(existsSync(join(scripts, `${stage}.mjs`))).toBe(true);
  expect(ends).toEqual([...ends].sort((a, b) => a - b));
  expect(ends.at(-1)).toBeLessThan(540);
});

test('pack.sh packs what check.sh needs into 45 MiB', () => {
  const folder = temporaryFolder();
  execFileSync(join(scripts, 'pack.sh'), [folder], { cwd: root, stdio: 'pipe' });
  expect(readdirSync(folder).sort()).toEqual(['check.sh', 'cleanclip.tar.xz', 'node.xz']);
  const bytes = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  expect(bytes).toBeLessThan(45 * 2 ** 20);
  expect(statSync(join(folder, 'node.xz')).size).toBeGreaterThan(15 * 2 ** 20);

  const listed = execFileSync('tar', ['-tJf', join(folder, 'cleanclip.tar.xz')], { encoding: 'utf8' });
  const packed = new Set(listed.split('\n').map((line) => posix.normalize(line)));
  const wanted = [
    ...['package.json', 'CMakeLists.txt', 'bin/cleanclip.js', 'dist/public.js', 'native/addon.cc'],
    ...['data/bpe_simple_vocab_16e6.txt.gz', 'test/parity/clip_modules.py', 'scripts/gpu/python/side.py'],
    ...['test/native/smoke.test.js', 'test/torch/cuda.test.js', 'test/torch/distributed/rank.js'],
    ...['node_modules/expect/package.json', 'node_modules/node-api-headers/include/node_api.h'],
    ...['node_modules/@iconify-json/noto/icons.json', '.cache/examples/quickstart/run.js'],
    ...['nvidia/headers/include/crt/host_config.h', 'nvidia/headers/include/nv/target'],
    ...importsOfStages(),
  ];
  expect(wanted.filter((file) => !packed.has(file))).toEqual([]);
}, 900_000);

/** The files that the stages import by path. */
const importsOfStages = (): string[] =>
  readdirSync(scripts)
    .filter((name) => /\.[cm]js$/.test(name) && !['packages.mjs', 'drawings.mjs', 'tests.mjs'].includes(name))
    .flatMap((name) => [...readFileSync(join(scripts, name), 'utf8').matchAll(/from '(\.[^']+)'/g)])
    .map(([, path]) => posix.join('scripts/gpu', path));
