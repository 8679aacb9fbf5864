// Makes the environment of both sides: the Python, an addon against its torch, a folder for the files of this run, and
// a description of the machine.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * Compiles what is stale, and makes the Python venv.
 * @returns {{ root: string, python: string, folder: string, env: NodeJS.ProcessEnv, machine: string, bf16: boolean,
 * versions: string }}
 */
export function prepareEnvironment(root) {
  const venv = join(root, '.cache', 'bench-venv');
  const python = process.env.CLEANCLIP_PYTHON ?? join(venv, 'bin', 'python');
  const env = {
    OMP_NUM_THREADS: String(availableParallelism()),
    ...process.env,
    CLEANCLIP_BUILD: join('.cache', 'bench-build'),
  };
  if (env.CLEANCLIP_REFERENCE) env.CLEANCLIP_REFERENCE = resolve(env.CLEANCLIP_REFERENCE);
  const runNode = (...args) => {
    const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env });
    if (status !== 0) process.exit(status ?? 1);
  };

  runNode('node_modules/typescript/bin/tsc', '-p', '.');
  if (!process.env.CLEANCLIP_PYTHON) runNode('scripts/python_venv.mjs', venv, 'bench/requirements.txt');
  const { torch, versions } = describePython(python, join(root, 'bench', 'python'));
  env.LIBTORCH = torch;
  runNode('bin/cleanclip.js', 'setup');
  return {
    root,
    python,
    folder: mkdtempSync(join(tmpdir(), 'cleanclip-bench-')),
    env,
    ...machine(),
    versions: `Node ${process.version}, ${versions}`,
  };
}

function describePython(python, cwd) {
  const { status, stdout, stderr } = spawnSync(python, ['versions.py'], { cwd, encoding: 'utf8' });
  if (status === 0) return JSON.parse(stdout);
  console.error(`${python} does not have the packages of bench/requirements.txt: ${stderr.trim().split('\n').pop()}`);
  process.exit(1);
}

function machine() {
  const flags = process.platform === 'linux' ? readFileSync('/proc/cpuinfo', 'utf8') : '';
  const instructions = ['amx_bf16', 'avx512_bf16', 'avx512f', 'avx2'].find((name) => flags.includes(name)) ?? 'no AVX';
  const name =
    `${availableParallelism()} cores of ${cpus()[0].model.trim()} ` +
    `(${instructions}), ${Math.round(totalmem() / 2 ** 30)} GB`;
  return { machine: name, bf16: instructions.endsWith('bf16') };
}
