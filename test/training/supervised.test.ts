import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import * as cc from '../../src/index';
import { colourSets } from '../support/labelled';

jest.setTimeout(60_000);

let folder: string;
const options = (more: object): Parameters<typeof cc.train>[0] => ({
  evalTrainDataDir: join(folder, 'train'),
  evalTestDataDir: join(folder, 'test'),
  modelName: join(folder, 'model.json'),
  logs: join(folder, 'logs'),
  numWorkers: 0,
  linearProbeBatchSize: 16,
  linearProbeNumEpochs: 2,
  numWarmupSteps: 2,
  ...more,
});

beforeAll(async () => {
  folder = await colourSets(8, 2);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('is what finetune and train do with finetune: true', async () => {
  writeFileSync(join(folder, 'pairs.csv'), 'image,caption\ntrain/0_0.png,a\ntest/1_0.png,b\n');
  const { checkpoint, metrics, history } = await cc.finetune(
    options({ name: 'api', finetune: true, validationData: join(folder, 'pairs.csv'), maxSteps: 3, logEvery: 1 }),
  );
  expect(checkpoint).toBe(join(folder, 'logs/api/checkpoints/finetune.pt'));
  expect(metrics).toEqual({ finetune_accuracy: expect.any(Number) });
  expect(history).toMatchObject([
    { type: 'evaluation', epoch: 0, loss: expect.any(Number) }, // of the CLIP that it starts from
    { type: 'train', epoch: 1, step: 1, lr: 2.5e-4 },
    { type: 'train', epoch: 1, step: 2, lr: 5e-4 },
    { type: 'train', epoch: 2, step: 3, lr: 5e-4 },
    { type: 'evaluation', finetune_accuracy: expect.any(Number) },
  ]);
  const again = await cc.evaluate(
    options({ name: 'again', finetune: true, checkpointFinetune: checkpoint, compat: 'reference' }),
  );
  expect(again).toEqual({ linear_probe_accuracy: metrics.finetune_accuracy });
});

test('skips and names a training image that cannot be read; strict refuses it', async () => {
  const labels = join(folder, 'train', 'labels.csv');
  const good = readFileSync(labels, 'utf8');
  writeFileSync(labels, `${good}\nnone.png,1`);
  try {
    await cc.train(options({ name: 'bad', finetune: true }));
    expect(readFileSync(join(folder, 'logs/bad/output.log'), 'utf8')).toMatch(
      /WARNING \| Training image 33 is skipped: .*none\.png/,
    );
    await cc.evaluate(options({ name: 'bad probe', linearProbe: true }));
    expect(readFileSync(join(folder, 'logs/bad probe/output.log'), 'utf8')).toMatch(
      /WARNING \| Training image 33 is skipped: .*none\.png/,
    );
    await expect(cc.train(options({ name: 'strict', finetune: true, strict: true }))).rejects.toMatchObject({
      code: 'ERR_DATA',
      message: expect.stringContaining('none.png'),
    });
  } finally {
    writeFileSync(labels, good);
  }
});

test('scales the loss in float16, and goes on with the scale where it was stopped', async () => {
  const abort = new AbortController();
  const onProgress = (event: cc.ProgressEvent): void => {
    if (event.type === 'progress' && event.done === 2) abort.abort();
  };
  const half = (more: object): Promise<cc.TrainResult> =>
    cc.train(options({ name: 'half', finetune: true, precision: 'fp16', ...more }));
  await expect(half({ signal: abort.signal, onProgress })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  const file = join(folder, 'logs/half/checkpoints/finetune_step.pt');
  const stopped = cc.torch.load(file) as { scaler: Record<string, number> };
  expect(stopped.scaler.scale).toBeGreaterThan(0);
  expect(stopped.scaler._growth_tracker).toBeLessThanOrEqual(2);
  cc.torch.save({ ...stopped, scaler: { ...stopped.scaler, scale: 'of another program' } }, file);
  await expect(half({ resume: 'auto' })).rejects.toMatchObject({
    code: 'ERR_CHECKPOINT',
    message: expect.stringContaining('it is not the state of a torch.amp.GradScaler'),
  });
  cc.torch.save(stopped, file);
  await expect(half({ resume: 'auto', linearProbeBatchSize: 8 })).rejects.toMatchObject({
    code: 'ERR_OPTION',
    message: expect.stringContaining('--linear_probe_batch_size is 8 and was 16'),
  });
  expect((await half({ resume: 'auto', logEvery: 1 })).history.slice(-3)).toMatchObject([
    { step: 3 },
    { step: 4 },
    { finetune_accuracy: expect.any(Number) },
  ]);
});

test('measures every so many steps and epochs, also when it is stopped and goes on', async () => {
  const measured = async (more: object): Promise<[number, number, number][]> => {
    const given = { finetune: true, linearProbeNumEpochs: 3, evalEverySteps: 3, evalEveryEpochs: 2, ...more };
    const { history } = await cc.train(options({ saveEverySteps: 1, ...given }));
    return history
      .filter(({ type }) => type === 'evaluation')
      .map((one) => [one.epoch as number, one.step as number, one.finetune_accuracy as number]);
  };
  const whole = await measured({ name: 'measured' });
  expect(whole.map(([epoch, step]) => [epoch, step])).toEqual([
    [2, 3],
    [2, 4],
    [3, 6],
  ]);
  const abort = new AbortController();
  const onProgress = (event: cc.ProgressEvent): void => {
    if (event.type === 'metrics' && event.record.type === 'evaluation') abort.abort();
  };
  const stopped = measured({ name: 'measured twice', signal: abort.signal, onProgress });
  await expect(stopped).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  expect(await measured({ name: 'measured twice', resume: 'auto' })).toEqual(whole);
});

test('stops at a loss that is no number', async () => {
  const diverged = cc.train(options({ name: 'diverged', finetune: true, lr: 1e30, numWarmupSteps: 0 }));
  await expect(diverged).rejects.toMatchObject({
    code: 'ERR_DATA',
    message: expect.stringMatching(/loss of the classifier became (NaN|Infinity) at step \d+; lower --lr/),
  });
});

describe('a linear probe', () => {
  test('trains its layer with --batch_size under compat, as the Python code does', async () => {
    const steps = async (more: object): Promise<unknown[]> =>
      (await cc.train(options({ name: 'steps', linearProbe: true, batchSize: 8, ...more }))).history
        .filter(({ type }) => type === 'linear_probe')
        .map(({ probe_step }) => probe_step);
    expect(await steps({})).toEqual([2, 4]);
    expect(await steps({ compat: 'reference' })).toEqual([4, 8]);
  });

  test('ends when aborted', async () => {
    const abort = new AbortController();
    const onProgress = (event: cc.ProgressEvent): void => {
      if (event.type === 'progress' && event.text.startsWith('Linear probe epoch')) abort.abort();
    };
    const stopped = cc.evaluate(
      options({ name: 'stopped', linearProbe: true, linearProbeNumEpochs: 100_000, signal: abort.signal, onProgress }),
    );
    await expect(stopped).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });
});
