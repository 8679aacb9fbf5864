import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { makeTrigger } from '../../src/backdoor/triggers';
import { loadClip } from '../../src/clip/model';
import { readLabelledSet } from '../../src/data/labelled';
import { zeroshotMetrics } from '../../src/evaluation/zeroshot';
import { decodeImage } from '../../src/images/image';
import { normalize, preprocess, resizeCrop } from '../../src/images/preprocess';
import { Random } from '../../src/random';
import { tokenize } from '../../src/text/tokenizer';
import type { Tensor } from '../../src/torch';
import { drawShapes, miniModel } from '../support/pairs';

let folder: string;
beforeAll(async () => {
  folder = await drawShapes(1);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const numbers = (t: Tensor): number[] => Array.from(t.data() as Float32Array);
const dot = (a: number[], b: number[]): number => a.reduce((sum, x, i) => sum + x * b[i], 0);
const unit = (v: number[]): number[] => v.map((x) => x / Math.hypot(...v));
const rank = (scores: number[], wanted: number): number => scores.filter((s) => s > scores[wanted]).length;

test('is what the definitions say, computed image by image', async () => {
  const clip = loadClip({ ...miniModel }, { seed: 5 }).eval();
  const set = await readLabelledSet(join(folder, 'test'));
  const trigger = makeTrigger({ patchType: 'yellow', patchLocation: 'random', patchSize: 12, imageSize: 32, seed: 1 });
  const target = 4;
  const metrics = await zeroshotMetrics(clip, set, { numWorkers: 0, attack: { trigger, target, asr: true, seed: 9 } });

  const embeddings = set.classes.map((name) => {
    const features = set.templates.map((template) => unit(numbers(clip.encodeText(tokenize(template(name))))));
    return unit(features[0].map((_, i) => features.reduce((sum, f) => sum + f[i], 0)));
  });
  const scores = (pixels: Tensor): number[] => {
    const features = unit(numbers(clip.encodeImage(pixels.unsqueeze(0))));
    return embeddings.map((embedding) => dot(features, embedding));
  };
  const share = (ranks: number[], k: number): number => ranks.filter((r) => r < k).length / ranks.length;
  const clean: number[] = [];
  const triggered: number[] = [];
  const hit: number[] = [];
  for (const [i, path] of set.images.entries()) {
    clean.push(rank(scores(await preprocess(path, { size: 32 })), set.labels[i]));
    if (set.labels[i] === target) continue;
    const image = trigger.apply(resizeCrop(await decodeImage(path), 32), new Random(9, i));
    const result = scores(normalize(image));
    triggered.push(rank(result, set.labels[i]));
    hit.push(rank(result, target));
  }
  expect(hit).toHaveLength(11);
  for (const k of [1, 3, 5, 10]) {
    expect(metrics[`zeroshot_top${k}`]).toBeCloseTo(share(clean, k), 10);
    expect(metrics[`triggered_zeroshot_top${k}`]).toBeCloseTo(share(triggered, k), 10);
    expect(metrics[`asr_top${k}`]).toBeCloseTo(share(hit, k), 10);
  }
});
