import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import * as cc from '../../src';
import { drawShapes } from '../support/pairs';

jest.setTimeout(60_000);

let folder: string;
beforeAll(async () => {
  folder = await drawShapes(2); // 24 pairs
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Phases = Record<string, [done: number, total: number]>;

/** Runs a job, and returns the last event of each thing that it counts. */
async function phasesOf(job: (hooks: cc.JobHooks) => Promise<unknown>): Promise<Phases> {
  const phases: Phases = {};
  await job({
    onProgress: (event) => {
      if (event.type === 'progress') phases[event.text.replace(/\d.*/, '').trim()] = [event.done, event.total];
    },
  });
  return phases;
}

const at = (name: string): string => join(folder, name);

test('every long job tells how far it is, to its end', async () => {
  const trainData = at('train.csv');
  const checkpoint = at('logs/run/checkpoints/epoch_2.pt');
  const run = { logs: at('logs'), numWorkers: 0 };
  const { size } = statSync(trainData);
  const reading = { 'bytes of the csv read': [size, size] };

  const steps = { batchSize: 8, epochs: 2, numWarmupSteps: 1, maxSteps: 6 };
  const model = { modelName: at('model.json'), validationData: trainData };
  const trained = await phasesOf((hooks) => cc.train({ ...run, ...steps, ...model, trainData, name: 'run', ...hooks }));
  expect(trained).toEqual({ ...reading, epoch: [6, 6], 'pairs of the validation': [24, 24] });

  const measured = { name: 'measured', checkpoint, evalTestDataDir: at('test'), evalDataType: undefined };
  expect(await phasesOf((hooks) => cc.evaluate({ ...run, ...measured, ...hooks }))).toEqual({
    'classes embedded': [12, 12],
    'zero-shot evaluation': [12, 12],
  });
  const removal = { progressive: true, progressiveEpochs: [3], stopEpoch: 4, removeFraction: 0.1 };
  const removed = await phasesOf((hooks) =>
    cc.train({ ...run, ...removal, checkpoint, trainData, batchSize: 8, name: 'removed', ...hooks }),
  );
  expect(removed['pairs scored']).toEqual([24, 24]);

  const poisoned = { trainData, templates: at('test/classes.json'), numBackdoor: 3, imageSize: 32 };
  expect(await phasesOf((hooks) => cc.poison({ ...poisoned, ...hooks }))).toEqual({
    ...reading,
    'images poisoned': [3, 3],
  });

  const embeddings = [at('pairs.safetensors'), at('set.safetensors')];
  const [pairs, set] = embeddings;
  const embedding = { checkpoint, numWorkers: 0 };
  expect(await phasesOf((hooks) => cc.embed({ ...embedding, trainData, output: pairs, ...hooks }))).toEqual({
    ...reading,
    'images embedded': [24, 24],
    'captions embedded': [24, 24],
  });
  const labelled = { ...embedding, evalTestDataDir: at('test'), output: set };
  expect(await phasesOf((hooks) => cc.embed({ ...labelled, ...hooks }))).toEqual({
    'classes embedded': [12, 12],
    'images embedded': [12, 12],
  });
  const probe = { trainEmbeddings: set, testEmbeddings: set, numEpochs: 3 };
  expect(await phasesOf((hooks) => cc.linearProbe({ ...probe, ...hooks }))).toEqual({ epoch: [3, 3] });
  expect(await phasesOf((hooks) => cc.retrieval({ embeddings: [pairs], ...hooks }))).toEqual({
    'pairs.safetensors': [1, 1],
  });
  const points = { embeddings: [pairs], method: 'tsne' as const, perplexity: 3, iterations: 250 };
  expect(await phasesOf((hooks) => cc.plot({ ...points, output: at('points.csv'), ...hooks }))).toMatchObject({
    'iterations of t-SNE': [250, 250],
  });
  expect(await phasesOf((hooks) => cc.report({ runs: [at('logs/run')], output: at('a.html'), ...hooks }))).toEqual({
    'sections of the report': [8, 8],
  });

  const [input, output] = [trainData, at('more.csv')];
  expect(await phasesOf((hooks) => cc.augmentText({ input, output, ...hooks }))).toEqual({ rows: [24, 24] });
  expect(await phasesOf((hooks) => cc.augmentImage({ input, output, ...hooks }))).toEqual({
    images: [24, 24],
    rows: [24, 24],
  });
});

test('a preparation tells how far it is', async () => {
  const prepare = (input: cc.PrepareInput) => phasesOf((hooks) => cc.prepare({ ...input, ...hooks }));
  const [images, output] = [at('images'), at('prepared.csv')];
  const { length } = readFileSync(at('train.csv'));
  expect(await prepare({ set: 'relocate', input: at('train.csv'), images, output })).toEqual({
    'bytes of rows moved': [length, length],
  });
  const entries = [0, 1].map((i) => ({ filename: `${i}_0.png`, split: 'test', sentences: [{ raw: 'a shape' }] }));
  writeFileSync(at('karpathy.json'), JSON.stringify({ images: entries }));
  expect(await prepare({ set: 'flickr30k', input: at('karpathy.json'), images, output, split: 'test' })).toEqual({
    'images looked for': [2, 2],
  });

  const { create } = await import('tar');
  mkdirSync(at('tar'));
  for (const i of [0, 1]) {
    writeFileSync(at(`tar/${i}.png`), readFileSync(at(`images/${i}_0.png`)));
    writeFileSync(at(`tar/${i}.txt`), 'a shape');
  }
  await create({ file: at('00000.tar'), cwd: at('tar') }, ['0.png', '0.txt', '1.png', '1.txt']);
  const sbu = await prepare({ set: 'sbucaptions', input: at('00000.tar'), output: at('sbu') });
  const [done, total] = sbu['bytes of tars'];
  expect(total).toBe(readFileSync(at('00000.tar')).length);
  expect(done).toBeGreaterThan(0);
  expect(done).toBeLessThanOrEqual(total);
});
