// `npm run parity [-- row …]`: compares with Python, feature by feature, and writes test/parity/REPORT.md; exit code 1
// when a row is over its limit. It makes a Python venv (not with CLEANCLIP_PYTHON) and compiles a second addon against
// that Python's torch, so that both sides compute with the same library. With CLEANCLIP_REFERENCE, a checkout of the
// Python repository, rows also run against it.
import { spawnSync } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

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
env.LIBTORCH = torchFolder();
runNode('bin/cleanclip.js', 'setup');
runNode('node_modules/jest/bin/jest.js', '--runInBand', '--testMatch', '**/test/parity/parity.ts');

/** The torch package of the Python, which is a libtorch folder. */
function torchFolder() {
  const find = 'import importlib.util; print(importlib.util.find_spec("torch").submodule_search_locations[0])';
  const { status, stdout } = spawnSync(python, ['-c', find], { encoding: 'utf8' });
  if (status !== 0) {
    console.error(
      `${python} has no torch; give CLEANCLIP_PYTHON a Python with the packages of ` +
        'test/parity/harness-requirements.txt.',
    );
    process.exit(1);
  }
  return stdout.trim();
}

function runNode(...args) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env });
  if (status !== 0) process.exit(status ?? 1);
}
