import { spawnSync } from 'node:child_process';

import { packageRoot } from '../paths';

/** How a short command ended: `status` is null when it could not be started. */
export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a command to its end and captures what it says. It runs in the package's folder, which shadows no Python module.
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
