import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

import { command, type Running, until } from '../support/command';
import { drawShapes } from '../support/pairs';
import { curve, flags } from './ranks/training';

jest.setTimeout(120_000);

let folder: string;
beforeAll(async () => {
  folder = await drawShapes(2); // 24 pairs: 3 batches an epoch
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const train = (name: string, ...more: string[]): Running => command('cleanclip-train', flags(name, ...more), folder);
const steps = (name: string): number[] => curve(folder, name).map(([step]) => step);
const increasing = (numbers: number[]): boolean => numbers.every((number, i) => i === 0 || number > numbers[i - 1]);
const inUse = (name: string, pid?: number): RegExp =>
  new RegExp(
    `^cleanclip-train: The folder 'logs/${name}' is in use by process ${pid} on host ${hostname()} since .*; ` +
      'wait until that run ends, or choose another --name\\.\\n$',
  );

/** Of two runs started together the one that goes on, once the other has ended as it should. */
async function oneRefused(name: string, runs: Running[]): Promise<number> {
  const first = await Promise.race(runs.map(async ({ ended }, i) => ({ i, ...(await ended) })));
  const other = runs[1 - first.i];
  expect(first).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(inUse(name, other.child.pid)) });
  return 1 - first.i;
}

test('of two new runs of one name one is refused, and nothing is mixed; a killed one can be gone on with', async () => {
  const runs = ['1', '2'].map((seed) => train('new', '--epochs', '400', '--seed', seed));
  const winner = await oneRefused('new', runs);
  await until(() => steps('new').length > 10);
  expect(readFileSync(join(folder, 'logs/new/params.txt'), 'utf8')).toContain(`\nseed: ${winner + 1}\n`);

  const evaluation = command(
    'cleanclip-train',
    ['--name', 'new', '--validation_data', 'train.csv', '--model_name', 'model.json'],
    folder,
  );
  const ranks = train('new', '--distributed', '--nproc_per_node', '2', '--device', 'cpu', '--resume', 'auto');
  for (const { ended } of [evaluation, ranks])
    expect(await ended).toMatchObject({ code: 1, stderr: expect.stringMatching(inUse('new', runs[winner].child.pid)) });

  runs[winner].child.kill('SIGKILL');
  await runs[winner].ended;
  expect(increasing(steps('new'))).toBe(true);
  const seed = ['--seed', String(winner + 1)];
  expect(await train('new', ...seed, '--epochs', '400', '--max_steps', '2', '--resume', 'auto').ended).toMatchObject({
    code: 0,
  });
  expect(existsSync(join(folder, 'logs/new/.lock'))).toBe(false);
});

test('of one run that is resumed twice one is refused', async () => {
  expect(await train('again', '--max_steps', '4').ended).toMatchObject({ code: 0 });
  const runs = [1, 2].map(() => train('again', '--epochs', '30', '--resume', 'auto'));
  const winner = await oneRefused('again', runs);
  expect(await runs[winner].ended).toMatchObject({ code: 0, stderr: '' });
  expect(steps('again')).toEqual(Array.from({ length: 90 }, (_, i) => i + 1));
  expect(readdirSync(join(folder, 'logs/again')).sort()).toEqual([
    'checkpoints',
    'metrics.jsonl',
    'output.log',
    'params.txt',
  ]);
});
