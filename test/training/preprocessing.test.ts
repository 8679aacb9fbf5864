import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { makeTrigger } from '../../src/backdoor/triggers';
import type { ClipConfig } from '../../src/clip/config';
import { readLabelledSet } from '../../src/data/labelled';
import { readPairs } from '../../src/data/pairs';
import { classifierMetrics } from '../../src/evaluation/classifier';
import { embedPairs } from '../../src/evaluation/embed_pairs';
import { encodeSet } from '../../src/evaluation/linear_probe';
import { zeroshotMetrics } from '../../src/evaluation/zeroshot';
import { decodeImage } from '../../src/images/image';
import { resizeCrop } from '../../src/images/preprocess';
import * as cc from '../../src/index';
import { embedBatch } from '../../src/losses/embed_batch';
import type { TrainOptions } from '../../src/options/train';
import { TrainingPairs } from '../../src/training/pairs';
import { alone } from '../../src/training/step_model';
import { makeBatch } from '../support/batches';
import { drawShapes, miniModel } from '../support/pairs';

const { torch } = cc;

/** Means that turn the colours about, the other filter, and a border. */
const own: ClipConfig = {
  ...miniModel,
  imageMean: [0.9, 0.1, 0.5],
  imageStd: [0.2, 0.7, 0.4],
  interpolation: 'bilinear',
  resizeMode: 'longest',
  fillColor: 40,
};

let folder: string;
let clip: cc.Clip;
let images: string[];
beforeAll(async () => {
  folder = await drawShapes(1);
  clip = cc.loadClip(own, { seed: 5 }).eval();
  images = (await readLabelledSet(join(folder, 'test'))).images;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const options = { batchSize: 4, numWorkers: 0, seed: 0 } as TrainOptions;
const hooks = {
  warn: (text: string): never => {
    throw new Error(text);
  },
};
const close = (ours: cc.Tensor, theirs: cc.Tensor): void =>
  expect(ours.sub(theirs).abs().max().item()).toBeLessThan(1e-5);

/** The images one by one, as the model's own `preprocess` gives them. */
const pixels = async (paths: string[]): Promise<cc.Tensor> =>
  torch.stack(await Promise.all(paths.map((path) => clip.preprocess(path))));

test('a model keeps how images are made for it, and the default gives other features', async () => {
  expect(clip.config).toMatchObject(own);
  const [path] = images;
  const byDefault = clip.encodeImage((await cc.preprocess(path, { size: 32 })).unsqueeze(0));
  expect(
    clip
      .encodeImage(await pixels([path]))
      .sub(byDefault)
      .abs()
      .max()
      .item(),
  ).toBeGreaterThan(1e-4);
});

test('validation, removal and training see pairs so', async () => {
  const table = await readPairs(join(folder, 'train.csv'));
  const seen: { rows: Int32Array; embeds: cc.Tensor }[] = [];
  await embedPairs(clip, table, options, hooks, ({ imageEmbeds }, rows) =>
    seen.push({ rows, embeds: torch.keep(imageEmbeds) }),
  );
  for (const { rows, embeds } of seen) {
    const features = clip.encodeImage(await pixels(Array.from(rows, (row) => table.image(row))));
    close(embeds, features.div(features.norm(2, [1], true)));
  }
  const pairs = new TrainingPairs(table, clip, options, undefined as never);
  for await (const batch of pairs.loader.epoch(1)) {
    for (const [i, row] of batch.rows.entries()) {
      expect(torch.equal(batch.pixels.select(0, i), resizeCrop(await decodeImage(table.image(row)), 32, own))).toBe(
        true,
      );
    }
    batch.dispose();
  }
  await pairs.close();
});

test('a training step normalises both views so', () => {
  const batch = makeBatch(own, { pairs: 3, seed: 1 });
  const { imageEmbeds, augmentedImageEmbeds } = embedBatch(alone(clip), batch, { start: 0, length: 3 });
  for (const [embeds, bytes] of [
    [imageEmbeds, batch.pixels],
    [augmentedImageEmbeds!, batch.augmentedPixels!],
  ]) {
    const features = clip.encodeImage(cc.normalize(bytes, own));
    close(embeds, features.div(features.norm(2, [1], true)));
  }
});

test('a linear probe sees labelled images so', async () => {
  const labels = new Int32Array(images.length);
  const { features } = await encodeSet(
    clip,
    { images, labels },
    { numWorkers: 0, strict: true, onBadRow: hooks.warn as never, onBatch: () => {} },
  );
  close(features, clip.encodeImage(await pixels(images)));
});

test('evaluation sees clean images so, and puts the same trigger in [0, 1] on them whatever the mean', async () => {
  const set = await readLabelledSet(join(folder, 'test'));
  const trigger = makeTrigger({ patchType: 'yellow', patchLocation: 'four_corners', patchSize: 8, imageSize: 32 });
  const attack = { trigger, target: 0, asr: true, seed: 1 };
  const bytes: cc.Tensor[] = [];
  const classifier = {
    clip,
    logits: (seen: cc.Tensor): cc.Tensor => {
      bytes.push(torch.keep(seen.clone()));
      return torch.zeros([seen.shape[0], set.classes.length]);
    },
  };
  await classifierMetrics('finetune', classifier as never, set, { numWorkers: 0, attack });
  const [clean, triggered] = bytes;
  const fitted = await Promise.all(images.map(async (path) => resizeCrop(await decodeImage(path), 32, own)));
  expect(torch.equal(clean, torch.stack(fitted))).toBe(true);
  expect(
    torch.equal(
      triggered.narrow(2, 0, 8).narrow(3, 0, 8),
      torch.tensor([255, 255, 0]).to('uint8').view([1, 3, 1, 1]).expand([11, 3, 8, 8]),
    ),
  ).toBe(true);
  const metrics = await zeroshotMetrics(clip, set, { numWorkers: 0, attack });
  const encode = clip.encodeImage.bind(clip);
  const given: cc.Tensor[] = [];
  const spy = jest
    .spyOn(clip, 'encodeImage')
    .mockImplementation((seen) => encode(given[given.push(torch.keep(seen.clone())) - 1]));
  expect(await zeroshotMetrics(clip, set, { numWorkers: 0, attack })).toEqual(metrics);
  spy.mockRestore();
  expect(torch.equal(given[0], await pixels(images))).toBe(true);
  expect(torch.equal(given[1], cc.normalize(triggered, own))).toBe(true);
});
