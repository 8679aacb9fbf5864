import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const local = join(__dirname, '../../.cache/parity-venv/bin/python');
export const interpreter = process.env.CLEANCLIP_PYTHON ?? (existsSync(local) ? local : 'python3');

/** Runs a script of this folder with the reference's Python: `input` as JSON on its stdin, JSON from its stdout. */
export function python(script: string, input: unknown): unknown {
  const run = spawnSync(interpreter, [join(__dirname, script)], {
    input: JSON.stringify(input),
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
    env: { ...process.env, PYTHONIOENCODING: 'utf-8' },
  });
  if (run.error !== undefined || run.status !== 0) {
    throw new Error(
      `The parity tests need a Python with torch and the reference's packages, and ${interpreter} could not ` +
        `run ${script}; ` +
        `set CLEANCLIP_PYTHON to one that can. ${run.error?.message ?? ''} ${run.stderr ?? ''}`,
    );
  }
  return JSON.parse(run.stdout);
}
