import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { runEvaluation } from '../../src/evaluation/evaluate';
import { resolve } from '../../src/options/define';
import { type TrainOptions, trainOptions } from '../../src/options/train';
import { torch } from '../../src/torch';
import type { TrainResult } from '../../src/training/result';
import { runSupervised } from '../../src/training/supervised';
import { runTraining } from '../../src/training/train';
import { drawShapes } from '../support/pairs';

let folder: string;
const options = (more: object): TrainOptions =>
  resolve(trainOptions, {
    trainData: join(folder, 'train.csv'),
    modelName: join(folder, 'model.json'),
    logs: join(folder, 'logs'),
    batchSize: 8,
    epochs: 2,
    lr: 1e-3,
    numWarmupSteps: 2,
    numWorkers: 0,
    logEvery: 1,
    seed: 3,
    ...more,
  });
const train = (more: object): Promise<TrainResult> => runTraining(options(more), {});
const file = (...path: string[]): string => join(folder, 'logs', ...path);
const text = (...path: string[]): string => readFileSync(file(...path), 'utf8');
const checkpoint = (name: string, which: string): string => file(name, 'checkpoints', which);
const validated = (): object => ({ validationData: join(folder, 'train.csv') });
const epochOf = (path: string): number => (torch.load(path) as { epoch: number }).epoch;
const steps = ({ history }: TrainResult): unknown[] =>
  history.filter(({ type }) => type === 'train').map(({ step }) => step);
const refused = (message: string): object => ({ code: 'ERR_OPTION', message: expect.stringContaining(message) });

/** Writes the lines of metrics.jsonl anew: each as `change` gives it, or none. */
function editMetrics(name: string, change: (record: Record<string, unknown>) => object | undefined): void {
  const records = text(name, 'metrics.jsonl')
    .trim()
    .split('\n')
    .map((line) => change(JSON.parse(line) as Record<string, unknown>));
  writeFileSync(
    file(name, 'metrics.jsonl'),
    records.flatMap((record) => (record ? [`${JSON.stringify(record)}\n`] : [])).join(''),
  );
}

beforeAll(async () => {
  folder = await drawShapes(4); // 48 pairs: 6 batches an epoch
  await train({ name: 'run', ...validated() });
  await train({ name: 'begun', maxSteps: 2 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the folder of a run', () => {
  test(
    'keeps its files when its model is measured: an evaluation adds to them, even if results.csv cannot be ' +
      'written',
    async () => {
      const [metrics, log, params] = ['metrics.jsonl', 'output.log', 'params.txt'].map((name) => text('run', name));
      mkdirSync(join(folder, 'results.csv'));
      const path = checkpoint('run', 'epoch_1.pt');
      const set = join(folder, 'test');
      const { metrics: measured } = await runEvaluation(
        options({ name: 'run', checkpoint: path, evalTestDataDir: set, ...validated() }),
        {},
      );
      const record = { type: 'evaluation', epoch: 1, step: 6, checkpoint: path, ...measured, folder: set, images: 12 };
      expect(text('run', 'metrics.jsonl')).toBe(`${metrics}${JSON.stringify(record)}\n`);
      expect(text('run', 'output.log')).toMatch(/zeroshot_top1: .*WARNING \| '.*results\.csv' cannot be written: /s);
      expect(text('run', 'output.log').startsWith(log)).toBe(true);
      expect(text('run', 'params.txt')).toBe(params);
    },
  );

  test('takes no run of another kind', async () => {
    const finetune = (more = {}): Promise<TrainResult> =>
      runSupervised(
        options({
          name: 'run',
          evalTrainDataDir: join(folder, 'test'),
          evalTestDataDir: join(folder, 'test'),
          ...more,
        }),
        {},
      );
    await expect(finetune()).rejects.toMatchObject(refused('of an earlier run; go on with it by --resume auto'));
    await expect(finetune({ resume: 'auto' })).rejects.toMatchObject(
      refused('which --resume auto cannot go on with; choose another --name'),
    );
    mkdirSync(file('classifier', 'checkpoints'), { recursive: true });
    writeFileSync(checkpoint('classifier', 'finetune.pt'), '');
    await expect(train({ name: 'classifier' })).rejects.toMatchObject(refused('finetune.pt'));
    await expect(train({ name: 'classifier', resume: 'auto' })).rejects.toMatchObject(refused('finetune.pt'));
  });

  test('has no file where its checkpoints belong', async () => {
    mkdirSync(file('occupied'), { recursive: true });
    writeFileSync(file('occupied', 'checkpoints'), '');
    const fault = {
      code: 'ERR_DATA',
      message: expect.stringContaining("checkpoints' is a file where a run keeps its checkpoints") as string,
    };
    await expect(train({ name: 'occupied' })).rejects.toMatchObject(fault);
    await expect(train({ name: 'occupied', resume: 'auto' })).rejects.toMatchObject(fault);
  });
});

describe('a resumed run', () => {
  test('makes up for the evaluation that it was stopped in', async () => {
    editMetrics('run', (record) => (record.type === 'evaluation' && record.epoch === 2 ? undefined : record));
    rmSync(checkpoint('run', 'epoch.best.pt'));
    const { metrics, bestCheckpoint, history } = await train({ name: 'run', resume: 'auto', ...validated() });
    expect(history.at(-1)).toEqual({ type: 'evaluation', epoch: 2, step: 12, loss: metrics.loss });
    expect(epochOf(bestCheckpoint!)).toBe(2);
  });

  test('keeps its best checkpoint until one is better, whatever was measured beside it', async () => {
    const losses = (own: (epoch: number) => number, beside: number): void =>
      editMetrics('run', (record) =>
        record.type === 'evaluation'
          ? { ...record, loss: record.checkpoint ? beside : own(Number(record.epoch)) }
          : record,
      );
    const bestAfter = async (epochs: number): Promise<number> =>
      epochOf((await train({ name: 'run', epochs, resume: 'auto', ...validated() })).bestCheckpoint!);
    copyFileSync(checkpoint('run', 'epoch_1.pt'), checkpoint('run', 'epoch.best.pt'));
    losses((epoch) => 0.01 * epoch, 99);
    expect(await bestAfter(3)).toBe(1);
    losses(() => 99, 0.01);
    expect(await bestAfter(4)).toBe(4);
  });

  test('does not go on in the middle of an epoch with other batches; between epochs it says so', async () => {
    await expect(train({ name: 'begun', resume: 'auto', batchSize: 16, seed: 4 })).rejects.toMatchObject(
      refused('--batch_size is 16 and was 8, --seed is 4 and was 3'),
    );
    const { order, ...older } = torch.load(checkpoint('begun', 'step.pt')) as { order: object };
    expect(order).toEqual({ examples: 48, batchSize: 8, seed: 3 });
    torch.save(older, checkpoint('begun', 'step.pt'));
    // nobody knows
    expect(steps(await train({ name: 'begun', resume: 'auto', seed: 4, maxSteps: 3 }))).toEqual([1, 2, 3]);

    expect(steps(await train({ name: 'run', resume: 'auto', epochs: 5, batchSize: 16 })).slice(-4)).toEqual([
      24, 13, 14, 15,
    ]); // 4 epochs of 6 steps before
    expect(text('run', 'output.log')).toMatch(
      /WARNING \| Going on with other batches than before: --batch_size is 16 and was 8\.$/m,
    );
  });

  test('goes on from the newest checkpoint that is whole, and tells which one is damaged', async () => {
    await train({ name: 'damaged' });
    truncateSync(checkpoint('damaged', 'epoch_2.pt'), 1000);
    expect(steps(await train({ name: 'damaged', resume: 'auto' }))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(text('damaged', 'output.log')).toMatch(/WARNING \| The checkpoint .*epoch_2\.pt is cut short/);
    expect(epochOf(checkpoint('damaged', 'epoch_2.pt'))).toBe(2);
    for (const which of ['epoch_1.pt', 'epoch_2.pt']) truncateSync(checkpoint('damaged', which), 1000);
    await expect(train({ name: 'damaged', resume: 'auto' })).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT',
      message: expect.stringContaining('epoch_2.pt is cut short'),
    });
  });

  test('needs the state of its optimizer', async () => {
    await train({ name: 'stateless', epochs: 1 });
    const path = checkpoint('stateless', 'epoch_1.pt');
    torch.save({ ...(torch.load(path) as object), optimizer: { state: 'none', param_groups: 3 } }, path);
    const message = expect.stringMatching(
      /^The optimizer of '.*epoch_1\.pt' is not taken: .* start a new one with --checkpoint\.$/,
    ) as string;
    await expect(train({ name: 'stateless', resume: 'auto' })).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT',
      message,
    });
  });
});

describe('a run that begins with a checkpoint', () => {
  test('must have something left to train', async () => {
    const path = checkpoint('run', 'epoch_2.pt');
    const message =
      `'${path}' is at epoch 2, step 12, and training ends at epoch 2, step 12, so nothing is left to train; ` +
      'raise --epochs, or train its weights from epoch 1 with --complete_finetune.';
    await expect(train({ name: 'over', checkpoint: path })).rejects.toMatchObject({ code: 'ERR_OPTION', message });
    await expect(train({ name: 'over', checkpoint: path, epochs: 9, maxSteps: 5 })).rejects.toMatchObject(
      refused('raise --epochs or --max_steps'),
    );
    expect(existsSync(file('over'))).toBe(false);
  });

  test('begins in the middle of an epoch only with the batches of that epoch', async () => {
    const middle = {
      checkpoint: await train({ name: 'middle', maxSteps: 2 }).then((result) => result.checkpoint),
      epochs: 1,
    };
    expect(steps(await train({ name: 'same', ...middle }))).toEqual([3, 4, 5, 6]);
    expect(steps(await train({ name: 'other', ...middle, seed: 4 }))).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

test('an error keeps the steps before it', async () => {
  const csv = join(folder, 'strict.csv');
  const lines = readFileSync(join(folder, 'train.csv'), 'utf8').split('\n');
  writeFileSync(csv, [...lines.slice(0, -1), 'late.png,late'].join('\n'));
  const strict = { name: 'strict', trainData: csv, strict: true, epochs: 1 };
  await expect(train(strict)).rejects.toMatchObject({
    code: 'ERR_DATA',
    message: expect.stringMatching(/^Row 48 cannot be used/),
  });
  const { step } = torch.load(checkpoint('strict', 'step.pt')) as { step: number };
  expect(step).toBeGreaterThan(0);
  expect(text('strict', 'output.log')).toMatch(
    new RegExp(`WARNING \\| Stopped at step ${step}; --resume auto goes on from there\\.$`, 'm'),
  );
  copyFileSync(join(folder, 'test', '0.png'), join(folder, 'late.png'));
  expect(steps(await train({ ...strict, resume: 'auto' }))).toEqual([1, 2, 3, 4, 5, 6]);
});
