import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import * as cc from '../../src/index';
import { drawShapes } from '../support/pairs';
import { joined } from '../support/patterns';

jest.setTimeout(120_000);

let folder: string;
const options = (more: object = {}): Parameters<typeof cc.train>[0] => ({
  trainData: join(folder, 'train.csv'),
  modelName: join(folder, 'model.json'),
  logs: join(folder, 'logs'),
  batchSize: 16,
  epochs: 2,
  lr: 2e-3,
  numWarmupSteps: 2,
  numWorkers: 1,
  seed: 3,
  ...more,
});

const weights = (path: string): Record<string, number[]> => {
  const { state_dict: state } = cc.torch.load(path) as { state_dict: Record<string, cc.Tensor> };
  return Object.fromEntries(
    Object.entries(state).map(([name, t]) => [name, Array.from(t.data() as Float32Array, Number)]),
  );
};

function largestDifference(a: string, b: string): number {
  const [x, y] = [weights(a), weights(b)];
  expect(Object.keys(x)).toEqual(Object.keys(y));
  let largest = 0;
  for (const name of Object.keys(x))
    x[name].forEach((value, i) => (largest = Math.max(largest, Math.abs(value - y[name][i]))));
  return largest;
}

beforeAll(async () => {
  folder = await drawShapes(8); // 96 pairs: 6 batches an epoch
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('train', () => {
  let straight: cc.TrainResult;

  test('learns, and writes checkpoints, metrics, params and a log', async () => {
    const events: cc.ProgressEvent[] = [];
    straight = await cc.train(
      options({
        name: 'straight',
        epochs: 12,
        logEvery: 1,
        evalTestDataDir: join(folder, 'test'),
        onProgress: (e: cc.ProgressEvent) => events.push(e),
      }),
    );
    const run = join(folder, 'logs', 'straight');

    const losses = straight.history.filter(({ type }) => type === 'train').map(({ loss }) => loss as number);
    expect(losses).toHaveLength(72);
    expect(losses.at(-1)).toBeLessThan(0.7 * losses[0]);
    expect(straight.metrics.zeroshot_top1).toBeGreaterThan(2 / 12); // chance is 1 in 12
    expect(straight.checkpoint).toBe(join(run, 'checkpoints', 'epoch_12.pt'));
    const names = Array.from({ length: 12 }, (_, n) => `epoch_${n + 1}.pt`);
    expect(readdirSync(join(run, 'checkpoints')).sort()).toEqual(names.sort());

    const lines = readFileSync(join(run, 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines).toEqual(straight.history);
    expect(readFileSync(join(run, 'params.txt'), 'utf8')).toMatch(/^batch_size: 16$/m);
    expect(readFileSync(join(run, 'output.log'), 'utf8')).toMatch(
      /^\d{4}-\d\d-\d\d,\d\d:\d\d:\d\d \| INFO \| Train Epoch: 12 \[96\/96 \(100%\)\]\tLoss: /m,
    );
    expect(events.filter((e) => e.type === 'progress' && e.text.startsWith('epoch'))).toHaveLength(72);
  });

  test('gives the same weights for the same seed, whatever the number of workers', async () => {
    const again = await cc.train(options({ name: 'again', numWorkers: 2 }));
    expect(
      largestDifference(again.checkpoint, join(folder, 'logs', 'straight', 'checkpoints', 'epoch_2.pt')),
    ).toBeGreaterThan(0); // another schedule
    const twice = await cc.train(options({ name: 'twice', numWorkers: 0 }));
    expect(largestDifference(again.checkpoint, twice.checkpoint)).toBe(0);
  });

  test('stops when aborted, saves, and resumes to the same weights as an undisturbed run', async () => {
    const undisturbed = await cc.train(options({ name: 'undisturbed', epochs: 3, inmodal: true, logEvery: 1 }));
    const abort = new AbortController();
    const stopAtStep8 = (event: cc.ProgressEvent): void => {
      if (event.type === 'progress' && event.done === 8) abort.abort();
    };
    const stopped = cc.train(
      options({
        name: 'stopped',
        epochs: 3,
        inmodal: true,
        logEvery: 1,
        signal: abort.signal,
        onProgress: stopAtStep8,
      }),
    );
    await expect(stopped).rejects.toMatchObject({
      code: 'ERR_ABORTED',
      message: expect.stringContaining('--resume auto'),
    });
    expect(existsSync(join(folder, 'logs', 'stopped', 'checkpoints', 'step.pt'))).toBe(true);

    const resumed = await cc.train(options({ name: 'stopped', epochs: 3, inmodal: true, logEvery: 1, resume: 'auto' }));
    expect(largestDifference(resumed.checkpoint, undisturbed.checkpoint)).toBeLessThan(1e-6);
    const curve = (result: cc.TrainResult): [unknown, number][] =>
      result.history.map(({ step, loss }) => [step, Math.round((loss as number) * 1e5) / 1e5]);
    expect(curve(resumed)).toEqual(curve(undisturbed));
  });

  test('trains in float16 with a scaled loss, whose scale is in the checkpoint and goes on from there', async () => {
    const half = (maxSteps: number, more = {}): Promise<cc.TrainResult> =>
      cc.train(options({ name: 'half', precision: 'fp16', logEvery: 1, maxSteps, ...more }));
    const { checkpoint, history } = await half(3);
    const scales = history.map((line) => line.loss_scale as number);
    expect(scales[0]).toBeLessThan(65536); // too large for this model: the first step is left out
    const saved = cc.torch.load(checkpoint) as { scaler: object };
    expect(saved.scaler).toEqual({
      scale: scales.at(-1),
      growth_factor: 2,
      backoff_factor: 0.5,
      growth_interval: 2000,
      _growth_tracker: expect.any(Number),
    });
    cc.torch.save({ ...saved, scaler: { ...saved.scaler, scale: 128, _growth_tracker: 1999 } }, checkpoint);
    const resumed = await half(5, { resume: 'auto' });
    expect(resumed.history.slice(-2)).toMatchObject([
      { step: 4, loss_scale: 256 },
      { step: 5, loss_scale: 256 },
    ]);
  });

  test('ends at max_steps, with the schedule', async () => {
    const { history, checkpoint } = await cc.train(options({ name: 'short', maxSteps: 4, logEvery: 1 }));
    expect(history.map(({ step, lr }) => [step, lr])).toEqual([
      [1, 0.001],
      [2, 0.002],
      [3, 0.002],
      [4, expect.closeTo(0.001, 10)],
    ]);
    expect(checkpoint).toMatch(/step\.pt$/);
  });

  test('goes on from a checkpoint, and finetunes one with CleanCLIP from epoch 1', async () => {
    const first = await cc.train(options({ name: 'first', epochs: 1 }));
    const second = await cc.train(options({ name: 'second', checkpoint: first.checkpoint }));
    expect(second.history.map(({ epoch }) => epoch)).toEqual(second.history.map(() => 2));
    const cleansed = await cc.finetune(
      options({ name: 'cleansed', checkpoint: first.checkpoint, epochs: 1, logEvery: 6 }),
    );
    expect(cleansed.checkpoint).toMatch(/epoch\.pt$/);
    expect(cleansed.history).toMatchObject([{ epoch: 1, step: 6, inmodal_loss: expect.any(Number) }]);
  });

  test('keeps the checkpoint with the least validation loss, also with inmodal', async () => {
    const result = await cc.train(
      options({ name: 'validated', inmodal: true, validationData: join(folder, 'train.csv') }),
    );
    const losses = result.history
      .filter(({ type, epoch }) => type === 'evaluation' && epoch !== 0)
      .map(({ loss }) => loss as number);
    expect(losses).toHaveLength(2);
    expect(result.bestCheckpoint).toMatch(/epoch\.best\.pt$/);
    expect((cc.torch.load(result.bestCheckpoint!) as { epoch: number }).epoch).toBe(losses[0] <= losses[1] ? 1 : 2);
  });

  test('skips and names an image that cannot be read; strict refuses it', async () => {
    const csv = join(folder, 'bad.csv');
    writeFileSync(join(folder, 'broken.png'), 'no image');
    writeFileSync(csv, `${readFileSync(join(folder, 'train.csv'), 'utf8')}\nbroken.png,nothing\n`);
    const log = (name: string): string => readFileSync(join(folder, 'logs', name, 'output.log'), 'utf8');
    await cc.train(
      options({
        name: 'bad',
        trainData: csv,
        epochs: 1,
        batchSize: 96,
        progressive: true,
        progressiveEpochs: [1],
        removeFraction: 0,
      }),
    );
    expect(log('bad')).toMatch(/WARNING \| Row 97 is skipped: .*broken\.png/);
    expect(log('bad')).toMatch(/WARNING \| Removal: 1 of 97 pairs are left out, .* row 97: .*broken\.png/);
    await expect(
      cc.train(options({ name: 'bad2', trainData: csv, epochs: 1, batchSize: 97, strict: true })),
    ).rejects.toMatchObject({ code: 'ERR_DATA' });

    const validation = { trainData: undefined, validationData: csv };
    expect(await cc.evaluate(options({ name: 'bad3', ...validation }))).toEqual({ loss: expect.any(Number) });
    expect(log('bad3')).toMatch(/WARNING \| Validation: 1 of 97 pairs are left out, .* row 97: .*broken\.png/);
    const refused = { code: 'ERR_DATA', message: expect.stringMatching(/Row 97 cannot be used\. .*broken\.png/) };
    await expect(cc.evaluate(options({ name: 'bad4', ...validation, strict: true }))).rejects.toMatchObject(refused);
  });

  test('tells of rows of the csv that are left out; strict refuses them', async () => {
    const csv = join(folder, 'left.csv');
    const rows = readFileSync(join(folder, 'train.csv'), 'utf8').replace(/^.*\n/, '');
    writeFileSync(
      csv,
      Buffer.concat([Buffer.from(rows.trimEnd()), Buffer.from('\na.png,caf\xe9\n,nothing\n', 'latin1')]),
    );
    const columns = readFileSync(join(folder, 'train.csv'), 'utf8').split('\n', 1)[0];
    const log = (name: string): string => readFileSync(join(folder, 'logs', name, 'output.log'), 'utf8');
    const { history } = await cc.train(
      options({ name: 'left', trainData: csv, validationData: csv, columns, maxSteps: 1 }),
    );
    expect(
      log('left').match(
        joined(
          /WARNING \| .*left\.csv, line 97 \(byte \d+\): the row is left out because /,
          /byte 4 of its field \d, 0xE9, is no UTF-8/g,
        ),
      ),
    ).toHaveLength(2);
    expect(log('left').match(/WARNING \| 2 rows of .*left\.csv are left out\./g)).toHaveLength(2);
    expect(history).toContainEqual({ type: 'data', epoch: 0, step: 0, rows: 96, rows_left_out: 2 });
    expect(history).toContainEqual(expect.objectContaining({ type: 'evaluation', validation_rows_left_out: 2 }));
    const refused = {
      code: 'ERR_DATA',
      message: expect.stringMatching(/line 97 .*with --strict no row may be left out/),
    };
    await expect(cc.train(options({ name: 'left2', trainData: csv, columns, strict: true }))).rejects.toMatchObject(
      refused,
    );
    await expect(
      cc.evaluate(options({ name: 'left3', trainData: undefined, validationData: csv, columns, strict: true })),
    ).rejects.toMatchObject(refused);
  });

  test('stops at a loss that is no number, and keeps what was earned', async () => {
    const run = cc.train(options({ name: 'diverged', epochs: 3, lr: 1e30, numWarmupSteps: 0 }));
    await expect(run).rejects.toMatchObject({
      code: 'ERR_DATA',
      message: expect.stringMatching(/loss became (NaN|Infinity) at step \d+ .*lower --lr/),
    });
  });

  test('does not write over the checkpoints of an earlier run', async () => {
    await expect(cc.train(options({ name: 'straight' }))).rejects.toMatchObject({
      code: 'ERR_OPTION',
      message: expect.stringContaining('--resume auto'),
    });
  });

  test.each([
    [{ trainData: undefined }, 'ERR_OPTION', 'Training needs --train_data'],
    [{ trainData: '/nowhere/x.csv' }, 'ERR_DATA', '/nowhere/x.csv'],
    [{ completeFinetune: true }, 'ERR_OPTION', 'give it with --checkpoint'],
    [{ checkpoint: '/nowhere/x.pt' }, 'ERR_CHECKPOINT', "no checkpoint '/nowhere/x.pt'"],
    [{ modelName: 'RN51' }, 'ERR_OPTION', '--model_name must be one of RN50'],
    [{ captionKey: 'text' }, 'ERR_DATA', '--caption_key'],
    [{ asr: true }, 'ERR_OPTION', '--eval_test_data_dir'],
    [{ batchSize: 500 }, 'ERR_OPTION', '500'],
  ])('refuses %p before it starts', async (wrong, code, message) => {
    await expect(cc.train(options({ name: 'refused', ...wrong }))).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
    expect(existsSync(join(folder, 'logs', 'refused', 'checkpoints'))).toBe(false);
  });

  test('trains to the same losses with checkpointing and a file of images, in parts to finite ones', async () => {
    const run = async (name: string, more: object): Promise<number[]> => {
      const { history } = await cc.train(options({ name, epochs: 2, logEvery: 1, numWorkers: 2, ...more }));
      return history.filter(({ type }) => type === 'train').map(({ loss }) => loss as number);
    };
    const plain = await run('plain', { inmodal: true });
    const imageCache = join(folder, 'cache');
    expect(plain).toHaveLength(12);
    expect(await run('frugal', { inmodal: true, gradCheckpointing: true, imageCache })).toEqual(plain);
    expect(readdirSync(imageCache)).toHaveLength(1);
    expect((await run('parts', { inmodal: true, accumFreq: 4, imageCache })).every(Number.isFinite)).toBe(true);
  });
});
