import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { type ClipConfig, completeConfig } from '../../src/clip/config';
import * as cc from '../../src/index';
import { readCheckpoint } from '../../src/run/checkpoint';
import { drawShapes } from '../support/pairs';
import { joined } from '../support/patterns';

// Jobs that start from weights which do not say their model's architecture, or another than --model_name does.
jest.setTimeout(180_000);

let folder: string;
const vit: ClipConfig = {
  embedDim: 32,
  imageSize: 32,
  visionLayers: 1,
  visionWidth: 64,
  visionPatchSize: 16,
  contextLength: 77,
  vocabularySize: 49408,
  textWidth: 64,
  textHeads: 1,
  textLayers: 1,
};
const file = (name: string): string => join(folder, name);
const options = (name: string, more: object = {}): Parameters<typeof cc.train>[0] => ({
  name,
  trainData: file('train.csv'),
  logs: file('logs'),
  batchSize: 16,
  epochs: 9,
  maxSteps: 2,
  numWorkers: 0,
  seed: 3,
  precision: 'fp32',
  ...more,
});
const log = (name: string, part: string): string => readFileSync(join(folder, 'logs', name, part), 'utf8');
const saved = (name: string, content: object): string => {
  cc.torch.save(content, file(name));
  return file(name);
};

beforeAll(async () => {
  jest.spyOn(process, 'emitWarning').mockImplementation();
  folder = await drawShapes(2);
  for (const [name, activation, textHeads] of [
    ['quick', 'quick_gelu', 1],
    ['gelu', 'gelu', 1],
  ] as const) {
    writeFileSync(file(`${name}.json`), JSON.stringify({ ...vit, activation, textHeads }));
  }
  saved('bare.pt', { state_dict: cc.loadClip(vit, { seed: 1 }).stateDict() });
});
afterAll(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

test('what is assumed of a bare state dict is told, recorded, and stored in the checkpoints', async () => {
  const { checkpoint, history } = await cc.train(
    options('bare', { checkpoint: file('bare.pt'), completeFinetune: true }),
  );
  const record = {
    type: 'assumed',
    epoch: 0,
    step: 0,
    checkpoint: file('bare.pt'),
    activation: 'quick_gelu',
    vision_heads: 1,
    text_heads: 1,
  };
  expect(history).toContainEqual(expect.objectContaining(record));
  const lines = log('bare', 'metrics.jsonl')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string });
  expect(lines.filter(({ type }) => type === 'assumed')).toEqual([expect.objectContaining(record)]);
  expect(log('bare', 'output.log')).toMatch(
    joined(
      /WARNING \| '.*bare\.pt' does not say its model's activation, heads, pooling and mask: /,
      /.*QuickGELU and 1 and 1 heads/,
    ),
  );
  expect(log('bare', 'params.txt')).toMatch(/^model_name: None$/m); // the checkpoint's
  expect(readCheckpoint(checkpoint)).toMatchObject({ config: completeConfig(vit), assumed: undefined });

  const again = await cc.train(options('again', { checkpoint, completeFinetune: true }));
  expect(again.history.filter(({ type }) => type === 'assumed')).toEqual([]);
  const evaluated = file('evaluated.csv');
  writeFileSync(evaluated, readFileSync(file('train.csv')));
  await cc.evaluate(
    options('measured', { trainData: undefined, validationData: evaluated, checkpoint: file('bare.pt') }),
  );
  expect(log('measured', 'metrics.jsonl')).toContain('"type":"assumed"');
});

test.each([
  ['an activation (but the heads)', { activation: 'gelu' }],
  ['a name', { modelName: 'gelu.json' }],
  ['both', { modelName: 'quick.json', activation: 'gelu' }],
])('%s settles it', async (_, given) => {
  const { modelName } = given as { modelName?: string };
  const named = { ...given, ...(modelName !== undefined && { modelName: file(modelName) }) };
  const name = `settled ${Object.values(given).join(' ')}`;
  const { checkpoint, history } = await cc.train(
    options(name, { checkpoint: file('bare.pt'), completeFinetune: true, ...named }),
  );
  const assumed = history.filter(({ type }) => type === 'assumed');
  expect(assumed).toEqual(
    modelName === undefined ? [expect.objectContaining({ activation: 'gelu', vision_heads: 1 })] : [],
  );
  const warns = log(name, 'output.log').includes("bare.pt' does not say its model's heads, pooling and mask: those of");
  expect(warns).toBe(modelName === undefined);
  expect(readCheckpoint(checkpoint).config.activation).toBe('gelu');
});

test('a name that contradicts the weights, or what is stored beside them, is refused', async () => {
  const refused = (more: object, message: RegExp): Promise<void> =>
    expect(cc.train(options('refused', { completeFinetune: true, ...more }))).rejects.toMatchObject({
      message: expect.stringMatching(message),
    });
  await refused(
    { checkpoint: file('bare.pt'), modelName: 'RN50' },
    joined(
      /By --model_name RN50 the model's embedDim is 1024, but /,
      /'.*bare\.pt' has weights for 32; give what belongs together/,
    ),
  );
  await refused(
    { checkpoint: file('bare.pt'), modelName: 'ViT-B-32' },
    /By --model_name ViT-B-32 the model's embedDim is 512/,
  );
  const stored = saved('stored.pt', {
    state_dict: cc.loadClip(vit, { seed: 1 }).stateDict(),
    config: completeConfig(vit),
  });
  await refused(
    { checkpoint: stored, modelName: file('gelu.json') },
    joined(
      /activation of '.*stored\.pt' is quick_gelu by the config in .*, /,
      /and gelu by --model_name .*gelu\.json; leave out what is wrong/,
    ),
  );
  await expect(
    cc.evaluate(
      options('refused', {
        trainData: undefined,
        validationData: file('train.csv'),
        checkpoint: stored,
        modelName: 'RN50',
      }),
    ),
  ).rejects.toMatchObject({
    code: 'ERR_CHECKPOINT',
    message: expect.stringMatching(/By --model_name RN50/),
  });
});

test(
  'new weights are of RN50 where no name is given, and params.txt says so; a run goes on under its own name ' + 'alone',
  async () => {
    const first = await cc.train(options('mine', { modelName: file('gelu.json'), maxSteps: 2, saveEverySteps: 1 }));
    expect(log('mine', 'params.txt')).toMatch(/^model_name: .*gelu\.json$/m);
    await expect(cc.train(options('mine', { modelName: 'RN50', resume: 'auto' }))).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT',
      message: expect.stringMatching(/By --model_name RN50/),
    });
    const on = await cc.train(options('mine', { modelName: file('gelu.json'), maxSteps: 3, resume: 'auto' }));
    expect([first.checkpoint, on.checkpoint].map((path) => path.slice(-10))).toEqual(['epoch_2.pt', 'epoch_3.pt']);
  },
);

test('a model with a bias of similarities trains: the loss does not depend on it, so it stays as it is', async () => {
  const biased = { ...vit, logitBias: true };
  const clip = cc.loadClip(biased, { seed: 1 });
  cc.torch.noGrad(() => clip.stateDict().logit_bias.fill_(-10));
  const start = saved('biased.pt', { state_dict: clip.stateDict(), config: completeConfig(biased) });
  const { checkpoint, history } = await cc.train(
    options('biased', { checkpoint: start, completeFinetune: true, logEvery: 1, lr: 1e-2, numWarmupSteps: 0 }),
  );
  const unbiased = saved('unbiased.pt', {
    state_dict: Object.fromEntries(Object.entries(clip.stateDict()).filter(([name]) => name !== 'logit_bias')),
    config: completeConfig(vit),
  });
  const other = await cc.train(
    options('unbiased', { checkpoint: unbiased, completeFinetune: true, logEvery: 1, lr: 1e-2, numWarmupSteps: 0 }),
  );
  const losses = (records: cc.TrainResult['history']): unknown[] =>
    records.filter(({ type }) => type === 'train').map(({ loss }) => loss);
  expect(losses(history)).toEqual(losses(other.history));
  const { state_dict: state } = cc.torch.load(checkpoint) as { state_dict: Record<string, cc.Tensor> };
  expect(state.logit_bias.item()).toBe(-10);
  expect(cc.torch.equal(state.logit_scale, clip.logitScale)).toBe(false);
});

test('an image encoder is not put beside a text encoder of another architecture', async () => {
  const clip = cc.loadClip(vit, { seed: 1 });
  const classifier = (
    name: string,
    activation: 'gelu' | 'quick_gelu',
    imageMean = completeConfig(vit).imageMean,
  ): string =>
    saved(name, {
      state_dict: {
        ...Object.fromEntries(Object.entries(clip.stateDict()).map(([key, tensor]) => [`model.${key}`, tensor])),
        'linear.weight': cc.torch.ones([4, 32]),
        'linear.bias': cc.torch.zeros([4]),
      },
      config: completeConfig({ ...vit, activation, imageMean }),
    });
  const base = saved('base.pt', { state_dict: clip.stateDict(), config: completeConfig(vit) });
  const mixed = (checkpointFinetune: string): Promise<unknown> =>
    cc.evaluate(
      options('mixed', {
        trainData: undefined,
        validationData: file('train.csv'),
        checkpoint: base,
        checkpointFinetune,
      }),
    );
  await expect(mixed(classifier('gelu.pt', 'gelu'))).rejects.toMatchObject({
    code: 'ERR_CHECKPOINT',
    message: expect.stringMatching(
      /image encoder of '.*gelu\.pt' has activation gelu and '.*base\.pt' quick_gelu; give files of one architecture/,
    ),
  });
  await expect(mixed(classifier('mean.pt', 'quick_gelu', [0.5, 0.5, 0.5]))).rejects.toMatchObject({
    code: 'ERR_CHECKPOINT',
    message: expect.stringMatching(/has imageMean 0\.5,0\.5,0\.5 and /),
  });
  await expect(mixed(classifier('same.pt', 'quick_gelu'))).resolves.toMatchObject({ loss: expect.any(Number) });
});
