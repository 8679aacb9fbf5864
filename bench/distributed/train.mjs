// Measures the trainer itself over ranks: `cleanclip-train` processes, each with the variables that a launcher sets.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

import { pairsCsv } from '../node/inputs.mjs';
import { meetingOf } from './ranks.mjs';

const EVERY = 5; // steps per line of the log

/**
 * Runs `tiny` over real files, with `pairs` pairs per rank and step. Returns the seconds of a step in the fastest line
 * of the log except the first, and the seconds of the whole run.
 */
export async function measureTrainer(worldSize, pairs, lines, { root, folder, env }) {
  const csv = await pairsCsv(folder, 4096);
  const logs = join(folder, 'trainer');
  rmSync(logs, { recursive: true, force: true });
  const options = {
    model_name: 'tiny',
    train_data: csv,
    logs,
    name: 'run',
    epochs: 1,
    batch_size: worldSize * pairs,
    num_workers: 1,
    device: 'cpu',
    max_steps: EVERY * lines,
    log_every: EVERY,
    distributed_backend: 'gloo',
  };
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const started = performance.now();
  const meeting = await meetingOf(worldSize);
  const codes = await Promise.all(
    Array.from({ length: worldSize }, async (_, rank) => {
      const joined = worldSize === 1 ? {} : { ...meeting, RANK: String(rank) };
      const child = spawn(process.execPath, [join(root, 'bin', 'cleanclip-train.js'), ...flags], {
        env: { ...env, ...joined, OMP_NUM_THREADS: '1' },
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      const [code] = await once(child, 'exit');
      return code;
    }),
  );
  if (codes.some((code) => code !== 0))
    throw new Error(`cleanclip-train on ${worldSize} ranks ended with ${codes.join(', ')}; its messages are above.`);
  const run = (performance.now() - started) / 1000;
  const lineTimes = readFileSync(join(logs, 'run', 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ type }) => type === 'train')
    .map(({ time }) => time / EVERY);
  return { worldSize, pairs, step: Math.min(...lineTimes.slice(1)), run };
}
