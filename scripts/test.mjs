// `npm test` compiles what is stale, makes the Python venv of the parity tests, and runs jest with the given arguments.
import { spawnSync } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const venv = join(root, '.cache', 'parity-venv');
const python = process.env.CLEANCLIP_PYTHON;

runNode('node_modules/typescript/bin/tsc', '-p', '.');
runNode('bin/cleanclip.js', 'setup');
if (!python) runNode('scripts/python_venv.mjs', venv, 'test/parity/requirements.txt');
runNode('node_modules/jest/bin/jest.js', ...process.argv.slice(2));

function runNode(...args) {
  // Two suites run at a time. With one OpenMP thread each, they do not wait for each other's cores.
  const env = { OMP_NUM_THREADS: '1', ...process.env, CLEANCLIP_PYTHON: python ?? join(venv, 'bin', 'python') };
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env });
  if (status !== 0) process.exit(status ?? 1);
}
