import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { newClip, sizesOf } from '../../src/clip/open';
import { readPairs } from '../../src/data/pairs';
import { Evaluator } from '../../src/evaluation/evaluator';
import { resolve } from '../../src/options/define';
import { trainOptions } from '../../src/options/train';
import { RunLog } from '../../src/run/log';
import { makeOptimizer } from '../../src/training/optimizer';
import { trainPairs } from '../../src/training/pair_training';
import { TrainingPairs } from '../../src/training/pairs';
import type { TrainResult } from '../../src/training/result';
import { drawShapes } from '../support/pairs';

let folder: string;
beforeAll(async () => {
  folder = await drawShapes(1); // 12 pairs: 3 batches an epoch
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Trains a new model on the CPU; by another `device` the loop only decides when to read a loss. */
async function train(
  name: string,
  {
    device = 'cpu',
    signal,
    ...more
  }: { device?: string; signal?: AbortSignal; lr?: number; numWarmupSteps?: number } = {},
): Promise<TrainResult> {
  const given = {
    trainData: join(folder, 'train.csv'),
    modelName: join(folder, 'model.json'),
    logs: join(folder, 'logs'),
  };
  const options = resolve(trainOptions, {
    ...given,
    name,
    batchSize: 4,
    epochs: 2,
    lr: 1e-3,
    numWarmupSteps: 3,
    numWorkers: 0,
    logEvery: 1,
    ...more,
  });
  const clip = newClip(options, 'cpu', sizesOf(options));
  const table = await readPairs(options.trainData!);
  const log = new RunLog(join(options.logs, name));
  log.start();
  const pairs = new TrainingPairs(table, clip, options, log);
  try {
    return await trainPairs({
      clip,
      pairs,
      options,
      log,
      device,
      optimizer: makeOptimizer(clip, options),
      evaluator: await Evaluator.open(clip, options, 'cpu', {}),
      order: { examples: table.length, batchSize: 4, seed: options.seed },
      start: { epoch: 0, batch: 0, step: 0 },
      resumed: false,
      end: { epoch: 2, step: 6 },
      hooks: { signal },
    });
  } finally {
    await pairs.close();
  }
}

test('reports the same of a GPU, whose losses are read a step later', async () => {
  const reported = async (device: string): Promise<object[]> =>
    (await train(device, { device })).history.map(({ epoch, step, loss, lr }) => ({ epoch, step, loss, lr }));
  const atOnce = await reported('cpu');
  expect(atOnce).toHaveLength(6);
  expect(new Set(atOnce.map((record) => (record as { lr: number }).lr)).size).toBeGreaterThan(3);
  expect(await reported('cuda')).toEqual(atOnce);
});

test.each(['cpu', 'cuda'])('saves nothing after a loss that is no number, on %s', async (device) => {
  const name = `diverged on ${device}`;
  await expect(train(name, { device, lr: 1e30, numWarmupSteps: 0 })).rejects.toMatchObject({
    code: 'ERR_DATA',
    message: expect.stringMatching(/loss became/),
  });
  expect(existsSync(join(folder, 'logs', name, 'checkpoints'))).toBe(false);
});

test('does not say that it is saved when it is stopped before the first step', async () => {
  await expect(train('stopped', { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'ERR_ABORTED',
    message: 'Training was stopped at step 0.',
  });
  expect(existsSync(join(folder, 'logs', 'stopped', 'checkpoints'))).toBe(false);
});
