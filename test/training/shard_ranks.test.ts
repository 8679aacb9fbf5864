import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { configs } from '../../src/clip/named';
import { type Tensor, torch } from '../../src/torch';
import { until } from '../support/command';
import { drawShapes } from '../support/pairs';
import { startRanks } from '../support/ranks';
import { shardsOf } from '../support/shards';

jest.setTimeout(120_000);

// A vision transformer: batch norm would see other batches on several ranks than in one process.
const vit = {
  ...{ ...configs.tiny, embedDim: 32, imageSize: 32, visionLayers: 1, visionWidth: 64, visionPatchSize: 8 },
  ...{ textWidth: 32, textHeads: 2, textLayers: 1 },
};
const options =
  '--model_name vit.json --lr 2e-3 --eps 1e-3 --num_warmup_steps 2 --num_workers 1 --log_every 1 --seed 3 ' +
  '--precision fp32 --gather_with_grad';

let folder: string;
const flags = (name: string, data: string, more: string): string[] =>
  `--name ${name} --train_data ${data} ${options} ${more}`.split(' ');

async function train(worldSize: number, name: string, data: string, more: string): Promise<void> {
  const ranks = await startRanks(worldSize, flags(name, data, more), folder);
  for (const { ended } of ranks) expect(await ended).toMatchObject({ code: 0, stderr: '' });
}

/** The loss of each step. */
function curve(name: string): number[] {
  const file = join(folder, 'logs', name, 'metrics.jsonl');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
  const rows = lines.map((line) => JSON.parse(line) as { type: string; loss: number });
  return rows.filter(({ type }) => type === 'train').map(({ loss }) => loss);
}

interface Saved {
  state_dict: Record<string, Tensor>;
  step: number;
}
const checkpoint = (name: string, file: string): string => join(folder, 'logs', name, 'checkpoints', file);
const saved = (name: string, file: string): Saved => torch.load(checkpoint(name, file)) as Saved;

/** The largest difference of the final weights of two runs. */
function apart(a: string, b: string, file: string): number {
  const [one, other] = [saved(a, file).state_dict, saved(b, file).state_dict];
  expect(Object.keys(one)).toEqual(Object.keys(other));
  return Math.max(...Object.keys(one).map((name) => torch.tidy(() => one[name].sub(other[name]).abs().max().item())));
}
const farthest = (a: number[], b: number[]): number => Math.max(...a.map((loss, i) => Math.abs(loss - b[i])));

beforeAll(async () => {
  folder = await drawShapes(8); // 96 pairs
  writeFileSync(join(folder, 'vit.json'), JSON.stringify(vit));
  // Each pair has a caption of its own, so that the loss of a step tells which pairs were in it.
  const [header, ...rows] = readFileSync(join(folder, 'train.csv'), 'utf8').trim().split('\n');
  const own = rows.map((row, i) => `${row} with the number ${i * i}`);
  const write = (name: string, lines: string[]): void =>
    writeFileSync(join(folder, name), [header, ...lines].join('\n'));
  write('all.csv', own);
  write('double.csv', own.with(17, own[18])); // a pair is left out, another comes twice
  write('odd.csv', own.slice(0, -1));
  await shardsOf(join(folder, 'all.csv'), 20); // 5 tars, the last of 16 samples
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('1, 2 and 4 ranks on tars use the pairs of one process on the csv in each step, each once', async () => {
  const epochs = '--batch_size 16 --epochs 2';
  await Promise.all([train(1, 'csv', 'all.csv', epochs), train(1, 'double', 'double.csv', epochs)]);
  for (const ranks of [1, 2, 4]) await train(ranks, `tars${ranks}`, 'shards/*.tar', epochs);
  expect(curve('csv')).toHaveLength(12);
  expect(curve('tars1')).toEqual(curve('csv'));
  expect(apart('tars1', 'csv', 'epoch_2.pt')).toBe(0);
  const exchanged = farthest(curve('double').slice(0, 6), curve('csv').slice(0, 6)); // one pair, in one of 6 steps
  for (const name of ['tars2', 'tars4']) {
    expect(curve(name)).toHaveLength(12);
    expect(farthest(curve(name), curve('csv'))).toBeLessThan(exchanged / 100);
    expect(apart(name, 'csv', 'epoch_2.pt')).toBeLessThan(1e-5);
  }
});

test('2 ranks that are killed within a shard end with the weights of an undisturbed run, padding and all', async () => {
  await shardsOf(join(folder, 'odd.csv'), 20); // of 95 pairs the first of an epoch comes twice: 12 steps
  const long = '--batch_size 8 --epochs 3';
  await train(2, 'undisturbed', 'odd.csv', long);
  const resume = `${long} --save_every_steps 3 --resume auto`;
  const ranks = await startRanks(2, flags('killed', 'shards/*.tar', resume), folder);
  const step = (): number => (existsSync(checkpoint('killed', 'step.pt')) ? saved('killed', 'step.pt').step : 0);
  await until(() => step() > 12);
  for (const { child } of ranks) child.kill('SIGKILL');
  for (const { ended } of ranks) expect((await ended).code).not.toBe(0);
  expect([step() > 12, step() < 36, step() % 12 > 0]).toEqual([true, true, true]);
  await train(2, 'killed', 'shards/*.tar', resume);
  expect(curve('killed')).toEqual(curve('undisturbed'));
  expect(curve('killed')).toHaveLength(36);
  expect(apart('killed', 'undisturbed', 'epoch_3.pt')).toBe(0);
});
