// `npm run parity [-- row …]` compares with Python, feature by feature, and writes test/parity/REPORT.md. It exits with
// 1 when a row is over its limit. It makes a Python venv, or uses the Python that CLEANCLIP_PYTHON names. It compiles a
// second addon against that Python's torch, so that both sides compute with the same library. If CLEANCLIP_REFERENCE
// names a checkout of the Python repository, rows also run against that.
import { spawnSync } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { torchFolder } from './torch_folder.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const venv = join(root, '.cache', 'harness-venv');
const python = process.env.CLEANCLIP_PYTHON ?? join(venv, 'bin', 'python');
const rows = process.argv.slice(2);
const env = {
  OMP_NUM_THREADS: '2',
  PYTHONHASHSEED: '0',
  ...process.env,
  CLEANCLIP_PYTHON: python,
  CLEANCLIP_BUILD: join('.cache', 'parity-build'),
  CLEANCLIP_PARITY: rows.join(' '),
};
if (env.CLEANCLIP_REFERENCE) env.CLEANCLIP_REFERENCE = resolve(env.CLEANCLIP_REFERENCE);

runNode('node_modules/typescript/bin/tsc', '-p', '.');
if (!process.env.CLEANCLIP_PYTHON) runNode('scripts/python_venv.mjs', venv, 'test/parity/harness-requirements.txt');
env.LIBTORCH = torchFolder(python);
runNode('bin/cleanclip.js', 'setup');
runNode('node_modules/jest/bin/jest.js', '--runInBand', '--testMatch', '**/test/parity/parity.ts');

function runNode(...args) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env });
  if (status !== 0) process.exit(status ?? 1);
}
