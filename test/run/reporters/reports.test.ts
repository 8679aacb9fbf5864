import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { runEvaluation } from '../../../src/evaluation/evaluate';
import { resolve } from '../../../src/options/define';
import { type TrainOptions, trainOptions } from '../../../src/options/train';
import { flagName } from '../../../src/run/reporters/reporter';
import { torch } from '../../../src/torch';
import type { TrainResult } from '../../../src/training/result';
import { runTraining } from '../../../src/training/train';
import { command, until } from '../../support/command';
import { drawShapes } from '../../support/pairs';
import { startRanks } from '../../support/ranks';
import { eventFiles, readByPython, wandbFile, wandbRecords, wandbRows, withoutTimes } from './read_back';

let folder: string;
const variables = ['WANDB_MODE', 'WANDB_API_KEY', 'WANDB_PROJECT', 'WANDB_ENTITY'];
const before = variables.map((name) => [name, process.env[name] ?? ''] as const);
const both = { reportTo: ['tensorboard', 'wandb'] };
const run = (name: string): string => join(folder, 'logs', name);
const given = (name: string, more: object = {}): Record<string, unknown> => ({
  ...{ trainData: join(folder, 'train.csv'), modelName: join(folder, 'model.json'), logs: join(folder, 'logs'), name },
  ...{ device: 'cpu', batchSize: 8, epochs: 3, lr: 1e-3, numWarmupSteps: 2, numWorkers: 0, logEvery: 1, seed: 3 },
  ...{ evalTestDataDir: join(folder, 'test'), asr: true, label: 'red circle', patchSize: 8, notes: 'a | note' },
  ...{ saveEverySteps: 2, evalEverySteps: 2, evalEveryEpochs: 2, bestMetric: 'zeroshot_top3', ...more },
});
const options = (name: string, more?: object): TrainOptions => resolve(trainOptions, given(name, more));
const train = (name: string, more?: object): Promise<TrainResult> => runTraining(options(name, more), {});
/** The same as flags of a command. */
const flags = (name: string, more: object): string[] =>
  Object.entries(given(name, more)).flatMap(([option, value]) => [
    `--${flagName(option)}`,
    ...(value === true ? [] : [value].flat().map(String)),
  ]);
const records = (name: string): Record<string, unknown>[] =>
  readFileSync(join(run(name), 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => withoutTimes(JSON.parse(line) as object));
const best = (name: string): unknown => {
  const { best, step } = torch.load(join(run(name), 'checkpoints', 'epoch.best.pt')) as Record<string, unknown>;
  return { best, step };
};
const evaluated = (name: string): number[] =>
  records(name).flatMap(({ type, step }) => (type === 'evaluation' ? [step as number] : []));

beforeAll(async () => {
  folder = await drawShapes(2); // 24 pairs: 3 batches an epoch, 9 steps
  for (const name of variables) process.env[name] = '';
  await train('whole', both);
});
afterAll(() => {
  Object.assign(process.env, Object.fromEntries(before));
  rmSync(folder, { recursive: true, force: true });
});

describe('a run that is reported', () => {
  test('is measured after every so many steps and epochs, and keeps the best checkpoint by the metric', () => {
    expect(evaluated('whole')).toEqual([0, 2, 4, 6, 8, 9]);
    const values = records('whole').filter(({ type, step }) => type === 'evaluation' && step !== 0);
    const highest = Math.max(...values.map((one) => one.zeroshot_top3 as number));
    const first = values.find((one) => one.zeroshot_top3 === highest)!;
    expect(best('whole')).toEqual({ best: { metric: 'zeroshot_top3', value: highest }, step: first.step });
    expect(readFileSync(join(run('whole'), 'output.log'), 'utf8')).toContain(
      `The best checkpoint is now that of step ${String(first.step)}: zeroshot_top3 ${highest.toFixed(4)}`,
    );
  });

  test('has scalars, images, text and options in TensorBoard', () => {
    const [events, ...others] = eventFiles(join(run('whole'), 'tensorboard'));
    expect(others).toEqual([]);
    expect(events[0].file_version).toBe('brain.Event:2');
    const values = events.flatMap(({ step, summary }) => (summary?.value ?? []).map((one) => ({ step, ...one })));
    const losses = values.filter(({ tag }) => tag === 'train/loss');
    const logged = records('whole').filter(({ type }) => type === 'train');
    expect(losses.map(({ step, simple_value: value }) => [step, value])).toEqual(
      logged.map(({ step, loss }) => [step, Math.fround(loss as number)]),
    );
    expect(values.flatMap(({ tag, image }) => (image ? [tag] : []))).toEqual(
      ['clean', 'triggered'].flatMap((name) => [0, 1, 2, 3].map((i) => `${name}/${i}`)),
    );
    expect(values.flatMap(({ tag, tensor }) => (tensor ? [tag] : []))).toEqual([
      ...['params', '_hparams_/experiment', '_hparams_/session_start_info', '_hparams_/session_end_info'],
    ]);
  });

  test('is an offline run of W&B', () => {
    const file = wandbFile(run('whole'));
    const all = wandbRecords(file);
    expect(all.flatMap(({ exit }) => (exit ? [exit.exit_code ?? 0] : []))).toEqual([0]);
    const rows = wandbRows(file);
    expect(rows.map(({ _step }) => _step)).toEqual(rows.map((_, i) => i));
    expect(rows[0]).toMatchObject({ clean: { _type: 'images/separated', count: 4 }, step: 0, epoch: 0 });
    for (const path of (rows[0].triggered as { filenames: string[] }).filenames)
      expect(existsSync(join(file, '..', 'files', path))).toBe(true);
    expect(rows.flatMap((row) => ('evaluation/asr_top1' in row ? [row.step] : []))).toEqual(evaluated('whole'));
    expect(readFileSync(join(file, '..', 'files', 'params.txt'), 'utf8')).toContain('notes: a | note\n');
    expect(readFileSync(join(run('whole'), 'output.log'), 'utf8')).toMatch(
      /INFO \| Weights & Biases: 'wandb sync \/.*whole\/wandb\/offline-run-\d{8}_\d{6}-[a-z0-9]{8}' sends this run\n$/,
    );
  });

  test('is read back by the Python packages', () => {
    const events = readByPython('tensorboard', join(run('whole'), 'tensorboard')) as Record<string, never> | null;
    if (events !== null) {
      const steps = (tag: string): number[] => (events.scalars[tag] as [number, number][]).map(([step]) => step);
      expect(steps('train/loss')).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
      expect(steps('evaluation/asr_top1')).toEqual(evaluated('whole'));
      expect(events.images['triggered/3']).toEqual([[0, 32, 32]]);
      expect(events).toMatchObject({ status: 1, hparams: { lr: 1e-3, asr: true, name: 'whole', epochs: 3 } });
      expect(events.text).toContain('| notes | a \\| note |');
      expect(events.metrics).toContain('evaluation/asr_top1');
    }
    const found = readByPython('wandb', wandbFile(run('whole'))) as Record<string, never> | null;
    if (found !== null) {
      expect(found).toMatchObject({ run: { project: 'clip-defense', entity: '', name: 'whole' }, notes: 'a | note' });
      expect(found).toMatchObject({ config: { lr: 1e-3, label: 'red circle', report_to: ['tensorboard', 'wandb'] } });
      expect((found.history as object[]).map(withoutTimes)).toEqual(wandbRows(wandbFile(run('whole'))));
      expect(found).toMatchObject({ exit: [0], summary: { step: 9, epoch: 3 } });
      expect(found.numbers).toEqual((found.numbers as number[]).map((_, i) => i + 1));
    }
  });

  test('trains and measures as one that is not, to the bit', async () => {
    await train('plain');
    expect(records('plain')).toEqual(records('whole'));
    expect(best('plain')).toEqual(best('whole'));
    expect(readdirSync(run('plain')).sort()).toEqual(['checkpoints', 'metrics.jsonl', 'output.log', 'params.txt']);
  });
});

describe('a run that was killed', () => {
  test('goes on in its own reports, with the curves and the best checkpoint of one that was not', async () => {
    const killed = command('cleanclip-train', flags('killed', both), folder);
    const metrics = join(run('killed'), 'metrics.jsonl');
    await until(() => existsSync(metrics) && readFileSync(metrics, 'utf8').includes('"step":5,'));
    killed.child.kill('SIGKILL');
    await killed.ended;
    const tensorboard = join(run('killed'), 'tensorboard');
    const [name] = readdirSync(tensorboard);
    const file = wandbFile(run('killed'));
    appendFileSync(join(tensorboard, name), Buffer.from('1800000000000000a37f4b220900', 'hex')); // cut off
    appendFileSync(file, Buffer.from('010203040010010a', 'hex'));
    writeFileSync(`${file}.synced`, '');

    await train('killed', { ...both, resume: 'auto' });
    expect(records('killed')).toEqual(records('whole'));
    expect(best('killed')).toEqual(best('whole'));
    expect(wandbFile(run('killed'))).toBe(file);
    expect(existsSync(`${file}.synced`)).toBe(false);
    expect(wandbRows(file)).toEqual(wandbRows(wandbFile(run('whole'))));
    expect(wandbRecords(file).filter(({ exit }) => exit)).toHaveLength(1);

    const [first, second] = eventFiles(tensorboard);
    const lastStep = Math.max(...first.map(({ step }) => step));
    const start = second.find((event) => event.session_log);
    expect(start).toMatchObject({ session_log: { status: 1 } });
    expect(start!.step).toBeLessThanOrEqual(lastStep + 1);
    const [all, whole] = ['killed', 'whole'].map(
      (run) => readByPython('tensorboard', join(folder, 'logs', run, 'tensorboard')) as { scalars: object } | null,
    );
    if (all !== null && whole !== null) expect(withoutTimes(all.scalars)).toEqual(withoutTimes(whole.scalars));
  });

  test('that was not reported is reported from its first step, once it is asked to', async () => {
    await train('later', { maxSteps: 2 });
    await train('later', { ...both, maxSteps: 4, resume: 'auto' });
    const [events] = eventFiles(join(run('later'), 'tensorboard'));
    const tags = events.flatMap(({ step, summary }) =>
      (summary?.value ?? []).flatMap(({ tag }) => (tag === 'train/loss' ? [step] : [])),
    );
    expect(tags).toEqual([1, 2, 3, 4]);
    const rows = wandbRows(wandbFile(run('later')));
    expect(rows.flatMap((row) => ('train/loss' in row ? [row.step] : []))).toEqual(tags);
  });
});

describe('a report', () => {
  test('of a measured model lies beside that of its run', async () => {
    const before = eventFiles(join(run('whole'), 'tensorboard'));
    process.env.WANDB_MODE = 'disabled';
    const checkpoint = join(run('whole'), 'checkpoints', 'epoch_2.pt');
    await runEvaluation(options('whole', { ...both, trainData: undefined, checkpoint }), {});
    process.env.WANDB_MODE = '';
    expect(eventFiles(join(run('whole'), 'tensorboard'))).toEqual(before);
    const [events] = eventFiles(join(run('whole'), 'tensorboard', 'evaluation_1'));
    expect(events.flatMap(({ step, summary }) => (summary?.value ?? []).map(({ tag }) => [step, tag]))).toContainEqual([
      6,
      'evaluation/zeroshot_top1',
    ]);
    wandbFile(run('whole')); // is still the only one
    expect(readFileSync(join(run('whole'), 'output.log'), 'utf8')).toContain(
      'WANDB_MODE is disabled, so nothing is written for Weights & Biases.',
    );
  });

  test('that cannot be written is refused before the first step', async () => {
    mkdirSync(run('refused'), { recursive: true });
    writeFileSync(join(run('refused'), 'tensorboard'), '');
    await expect(train('refused', both)).rejects.toMatchObject({
      code: 'ERR_DATA',
      message: expect.stringMatching(/^'.*tensorboard' cannot be written: not a directory \(ENOTDIR\)\.$/) as string,
    });
    expect(existsSync(join(run('refused'), 'checkpoints'))).toBe(false);
  });

  test('of W&B says plainly that it sends nothing, when a key is set', async () => {
    process.env.WANDB_API_KEY = 'a'.repeat(40);
    await train('online', { wandb: true, wandbProject: 'p', wandbEntity: 'e', maxSteps: 1 });
    process.env.WANDB_API_KEY = '';
    const log = readFileSync(join(run('online'), 'output.log'), 'utf8');
    const place = dirname(wandbFile(run('online')));
    expect(log).toContain(
      'WARNING | WANDB_API_KEY is set, but cleanclip sends nothing to Weights & Biases itself; ' +
        `'wandb sync ${place}' does.`,
    );
    expect(log).not.toContain('a'.repeat(40));
    expect(readFileSync(wandbFile(run('online'))).includes('a'.repeat(40))).toBe(false);
    const found = wandbRecords(wandbFile(run('online'))).find((record) => record.run);
    expect(found?.run).toMatchObject({ project: 'p', entity: 'e', display_name: 'online' });
  });

  test('is written by the first of two ranks alone', async () => {
    const ranks = await startRanks(2, flags('ranks', { ...both, maxSteps: 4 }), folder);
    for (const { ended } of ranks) expect(await ended).toMatchObject({ code: 0 });
    const [events, ...others] = eventFiles(join(run('ranks'), 'tensorboard'));
    expect(others).toEqual([]);
    const losses = events.flatMap(({ summary }) => summary?.value ?? []).filter(({ tag }) => tag === 'train/loss');
    expect(losses).toHaveLength(4);
    expect(wandbRows(wandbFile(run('ranks'))).flatMap((row) => ('train/loss' in row ? [row.step] : []))).toHaveLength(
      4,
    );
    expect(evaluated('ranks')).toEqual([0, 2, 4]);
  });
});
