// Runs of `cleanclip-train` in processes of their own, on the pictures of the quickstart.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { inputs, jobDevice, root, secondsLeft } from './stage.mjs';

/** The flags of a run of a tiny model, and those given. */
export const trainFlags = (flags) =>
  Object.entries({
    train_data: join(inputs, 'quickstart/train.csv'),
    model_name: 'tiny',
    device: jobDevice,
    seed: 1,
    lr: 1e-3,
    num_warmup_steps: 5,
    num_workers: 4,
    log_every: 1,
    ...flags,
  }).flatMap(([name, value]) => [`--${name}`, ...(value === true ? [] : [String(value)])]);

/**
 * Runs it to its end; resolves to the signal that ended it, or null.
 * @param options.kill asked every 20 ms whether to kill it
 * @throws with the end of what it has printed, when it fails
 */
export function runCommand(args, { env = {}, kill = () => false } = {}) {
  const child = spawn(process.execPath, [join(root, 'bin/cleanclip-train.js'), ...args], {
    env: { ...process.env, ...env },
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (printed += text));
  const timer = setInterval(() => {
    if (kill() || secondsLeft() < 1) child.kill('SIGKILL');
  }, 20);
  return new Promise((resolve, reject) => {
    child.on('close', (code, signal) => {
      clearInterval(timer);
      if (code === 0 || signal !== null) resolve(signal);
      else reject(new Error(`cleanclip-train ended with ${code}: ${printed.trim().slice(-600)}`));
    });
  });
}

/** The loss of every step of a run, from the log in its folder. */
export function lossesOf(folder) {
  const file = join(folder, 'metrics.jsonl');
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        const { type, loss } = JSON.parse(line);
        return type === 'train' ? [loss] : [];
      } catch {
        return []; // it is being written
      }
    });
}
