import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import { join } from 'node:path';

/** How a command ended. */
export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A command under way: `ended` resolves when it is over, `child` can be killed before. */
export interface Running {
  child: ChildProcess;
  /** what it has printed so far */
  output: { stdout: string; stderr: string };
  ended: Promise<Ended>;
}

/** The file of a command of bin/. */
export const bin = (name: 'cleanclip' | 'cleanclip-train'): string => join(__dirname, '..', '..', 'bin', `${name}.js`);

/** A command of bin/ as a user runs it. */
export const command = (
  name: 'cleanclip' | 'cleanclip-train',
  args: string[],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): Running => start(process.execPath, [bin(name), ...args], cwd, { env });

/**
 * A program with variables beside those of the tests; `detached` makes it the first of a process group, as a shell
 * does.
 */
export function start(
  program: string,
  args: string[],
  cwd: string,
  { env, detached }: Pick<SpawnOptions, 'env' | 'detached'> = {},
): Running {
  const child = spawn(program, args, {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    detached,
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, ...output }));
  });
  return { child, output, ended };
}

/** Waits until a condition holds; throws after `seconds`. */
export async function until(condition: () => boolean | Promise<boolean>, seconds = 60): Promise<void> {
  const end = Date.now() + 1000 * seconds;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`The condition did not hold within ${seconds} s.`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
