import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

/** How a command ended. */
export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A command of bin/ as a user runs it; `ended` resolves when it is over, `child` can be killed before. */
export function command(name: 'cleanclip' | 'cleanclip-train', args: string[], cwd: string, env: NodeJS.ProcessEnv = {}): { child: ChildProcess; ended: Promise<Ended> } {
  const bin = join(__dirname, '..', '..', 'bin', `${name}.js`);
  const child = spawn(process.execPath, [bin, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, ...output }));
  });
  return { child, ended };
}

/** Waits until a condition holds; throws after `seconds`. */
export async function until(condition: () => boolean, seconds = 60): Promise<void> {
  const end = Date.now() + 1000 * seconds;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`The condition did not hold within ${seconds} s.`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
