import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type ClipConfig } from '../../src/clip/config';
import type { Clip } from '../../src/clip/model';
import { configs } from '../../src/clip/named';
import { contrastiveLoss } from '../../src/losses';
import { type Tensor, torch } from '../../src/torch';
import { OrderedDict } from '../../src/torch/serialization';
import { drawnIds, livelyClip, tinyViT } from './models';
import { python } from './python';

// Embeddings, every gradient of the contrastive loss and the batch-norm statistics, against clip_modules.py.
jest.setTimeout(300_000);

const TOLERANCE = 1e-5;

const shallowText = { vocabularySize: 1000, textLayers: 2 };
const cases: [name: string, config: ClipConfig, batch: number, training: boolean][] = [
  ['a tiny ResNet in training', configs.tiny, 8, true],
  ['a tiny ResNet in evaluation', configs.tiny, 8, false],
  ['a tiny ViT', tinyViT, 8, true],
  ['RN50', { ...configs.RN50, ...shallowText }, 2, true],
  ['ViT-B/32', { ...configs['ViT-B/32'], ...shallowText }, 2, true],
];

interface Answer {
  images: Tensor;
  texts: Tensor;
  gradients: Record<string, Tensor>;
  buffers: Record<string, Tensor>;
}

const folder = mkdtempSync(join(tmpdir(), 'cleanclip-model-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (i: number, kind: string): string => join(folder, `${i}.${kind}.pt`);
const models: Clip[] = [];
let names: { parameters: string[]; state: string[] }[];

beforeAll(() => {
  for (const [i, [, config, batch]] of cases.entries()) {
    const clip = livelyClip(config, i);
    models.push(clip);
    const state_dict = new OrderedDict(Object.entries(clip.stateDict()));
    torch.save({ state_dict, ...inputs(config, batch, i) }, file(i, 'input'));
  }
  names = python(
    'model.py',
    cases.map(([, config, , training], i) => ({
      config,
      training,
      input: file(i, 'input'),
      output: file(i, 'output'),
    })),
  ) as typeof names;
});

function inputs(config: ClipConfig, batch: number, seed: number): { pixels: Tensor; ids: Tensor } {
  const generator = new torch.Generator(seed);
  const ids = drawnIds(config, batch, generator);
  return { pixels: torch.randn([batch, 3, config.imageSize, config.imageSize], { generator }), ids };
}

/** The largest difference, as a share of the largest magnitude where that is above 1. */
function distance(ours: Tensor, theirs: Tensor): number {
  return ours.sub(theirs).abs().max().item() / Math.max(1, theirs.abs().max().item());
}

describe.each(cases)('%s', (...[, config, batch, training]) => {
  const i = cases.findIndex((one) => one[1] === config && one[3] === training);

  test('has the names of Python, in its order', () => {
    expect(models[i].namedParameters().map(([name]) => name)).toEqual(names[i].parameters);
    expect(Object.keys(models[i].stateDict())).toEqual(names[i].state);
  });

  test('gives the embeddings, gradients and statistics of Python', () => {
    torch.tidy(() => {
      const clip = training ? models[i].train() : models[i].eval();
      const { pixels, ids } = inputs(config, batch, i);
      const { imageEmbeds, textEmbeds } = clip.forward(ids, pixels);
      contrastiveLoss(imageEmbeds, textEmbeds, clip.logitScale.exp()).backward();

      const python = torch.load(file(i, 'output')) as Answer;
      const apart: Record<string, number> = {
        images: distance(imageEmbeds, python.images),
        texts: distance(textEmbeds, python.texts),
      };
      for (const [name, parameter] of clip.namedParameters())
        apart[name] = distance(parameter.grad!, python.gradients[name]);
      for (const [name, buffer] of Object.entries(python.buffers))
        apart[name] = distance(clip.stateDict()[name], buffer);
      expect(Object.entries(apart).filter(([, value]) => !(value <= TOLERANCE))).toEqual([]);
    });
  });
});
