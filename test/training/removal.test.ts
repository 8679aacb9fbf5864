import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import * as cc from '../../src/index';
import { drawShapes } from '../support/pairs';

jest.setTimeout(120_000);

let folder: string;
const options = (name: string, more: object = {}): Parameters<typeof cc.train>[0] => ({
  name,
  trainData: join(folder, 'train.csv'),
  modelName: join(folder, 'model.json'),
  logs: join(folder, 'logs'),
  batchSize: 16,
  epochs: 4,
  lr: 2e-3,
  numWarmupSteps: 2,
  numWorkers: 1,
  logEvery: 1,
  seed: 3,
  ...more,
});
const rows = (name: string): string[] =>
  readFileSync(join(folder, `${name}.csv`), 'utf8')
    .trim()
    .split('\n')
    .slice(1);
const losses = ({ history }: cc.TrainResult): unknown[] =>
  history.filter(({ type }) => type === 'train').map(({ step, loss }) => [step, loss]);

beforeAll(async () => {
  folder = await drawShapes(8); // 96 pairs
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('progressive removal', () => {
  const removal = { progressive: true, progressiveEpochs: [0, 2], removeFraction: 0.25, stopEpoch: 3 };

  test('drops the pairs of highest similarity before training and after an epoch, and stops where told', async () => {
    const result = await cc.train(options('dropped', removal));
    const [first, second] = [rows('dropped_0'), rows('dropped_2')];
    expect([first.length, second.length]).toEqual([72, 54]);
    const all = new Set(rows('train').map((row) => row.split(',')[0]));
    for (const row of first) expect(all).toContain(row.split(',')[0]);
    const kept = new Set(first.map((row) => row.split(',')[0]));
    for (const row of second) expect(kept).toContain(row.split(',')[0]);
    const scores = second.map((row) => Number(row.split(',').at(-1)));
    expect(scores).toEqual([...scores].sort((a, b) => b - a));

    expect(result.checkpoint).toMatch(/epoch_3\.pt$/);
    expect(result.history.filter(({ type }) => type === 'removal')).toEqual([
      expect.objectContaining({ epoch: 0, removed: 24, removed_backdoor: 0, total_backdoor: 0 }),
      expect.objectContaining({ epoch: 2, removed: 18 }),
    ]);
    expect(losses(result)).toHaveLength(4 + 4 + 3); // batches of 16 in 72, 72 and 54 pairs
  });

  test('resumes after a removal with the pairs that were left', async () => {
    const whole = await cc.train(options('whole', removal));
    const abort = new AbortController();
    const stopAtStep9 = (event: cc.ProgressEvent): void => {
      if (event.type === 'progress' && event.done === 9) abort.abort();
    };
    const cut = options('cut', removal);
    await expect(cc.train({ ...cut, signal: abort.signal, onProgress: stopAtStep9 })).rejects.toMatchObject({
      code: 'ERR_ABORTED',
    });
    const resumed = await cc.train({ ...cut, resume: 'auto' });
    expect(losses(resumed)).toEqual(losses(whole));
  });

  test('after the last epoch may leave less than a batch', async () => {
    await cc.train(
      options('last', { epochs: 1, progressive: true, progressiveEpochs: [1], removeFraction: 0.9, stopEpoch: 1 }),
    );
    expect(rows('last_1')).toHaveLength(10);
  });

  test('is refused by half', async () => {
    await expect(cc.train(options('half', { progressive: true }))).rejects.toThrow(
      '--progressive and --progressive_epochs go together',
    );
    await expect(cc.train(options('half', { progressiveEpochs: [1] }))).rejects.toThrow(
      '--progressive and --progressive_epochs go together',
    );
  });
});

describe('unlearning', () => {
  test('parts the image from the caption of poisoned pairs, and needs some', async () => {
    await expect(cc.train(options('none', { unlearn: true }))).rejects.toThrow('marks no pair as poisoned');

    const marked = rows('train').map((row, i) => `${row},${i < 24 ? 1 : 0}`); // the first three classes
    writeFileSync(join(folder, 'marked.csv'), ['image,caption,is_backdoor', ...marked].join('\n'));
    const learned = await cc.train(options('learned', { epochs: 8 }));
    const unlearn = {
      checkpoint: learned.checkpoint,
      completeFinetune: true,
      trainData: join(folder, 'marked.csv'),
      epochs: 6,
      unlearn: true,
      constraintWeight: 4,
    };
    const { history } = await cc.train(options('unlearned', unlearn));
    const constraint = history.flatMap(({ constraint_loss: value }) => (value === undefined ? [] : [value as number]));
    expect(constraint.at(-1)).toBeLessThan(0.3 * constraint[0]);

    const compat = await cc.train(options('pulled', { ...unlearn, compat: 'reference', maxSteps: 1 }));
    expect(compat.history[0].constraint_loss).not.toBeCloseTo(constraint[0], 2); // aims at a similarity of 1 there
  });
});
