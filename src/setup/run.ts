import { spawnSync } from 'node:child_process';

import { packageRoot } from '../paths';

/** The outcome of a command. `status` is null when it could not be started or was killed. */
export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a command to its end and captures its output. The working directory is the package's folder, where no file
 * shadows a Python module.
 */
export function run(command: string, args: readonly string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: packageRoot,
    encoding: 'utf8',
    env: process.env,
    maxBuffer: 1 << 26,
  });
  return { status, stdout: stdout ?? '', stderr: stderr ?? '' };
}
