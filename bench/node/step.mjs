// Measures a training step on a batch in memory.
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

import { configs } from '../../dist/clip/named.js';
import { choosePrecision } from '../../dist/clip/open.js';
import cleanclip from '../../dist/index.js';
import { cosineSchedule } from '../../dist/torch/schedule.js';
import { makeOptimizer } from '../../dist/training/optimizer.js';
import { trainStep } from '../../dist/training/step.js';
import { matmulPeak, stepFlops } from './flops.mjs';
import { caption } from './inputs.mjs';
import { weightsFile } from './model.mjs';

const { torch } = cleanclip;
const recipe = { lr: 5e-4, beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0.1 };
const learningRate = cosineSchedule(recipe.lr, 10_000, 1_000_000);

export async function prepare({
  folder,
  model,
  pairs,
  imageSize = configs[model].imageSize,
  inmodal = false,
  precision = 'auto',
  accumFreq = 1,
  shared = true,
}) {
  const chosen = choosePrecision(precision, 'cpu');
  const clip = cleanclip.loadClip(weightsFile(folder, model, imageSize), { precision: chosen });
  const optimizer = makeOptimizer(clip, recipe);
  const batch = makeBatch(pairs, imageSize, inmodal);
  if (shared) shareBatch(batch, join(folder, 'batch.pt'));
  const batchBytes = batch.pixels.numel() + 8 * batch.ids.numel();
  const flops = totalFlops(batch, model);
  let step = 0;
  let where; // comes from one more step, so it is left out where losses are compared step by step
  return () => {
    optimizer.lr = learningRate(step++);
    const start = performance.now();
    const { loss } = trainStep(clip, optimizer, batch, { clipWeight: 1, inmodalWeight: 1 }, { accumFreq })();
    const seconds = (performance.now() - start) / 1000;
    const bytes = process.resourceUsage().maxRSS * 1024;
    const result = { seconds, loss, bytes, bytesBesideBatch: bytes - batchBytes, note: chosen };
    if (flops === undefined) return result;
    const peak = matmulPeak(chosen === 'bf16' ? 'bfloat16' : 'float32');
    if (precision === 'auto')
      where ??= profileOf(() =>
        trainStep(clip, optimizer, batch, { clipWeight: 1, inmodalWeight: 1 }, { accumFreq })(),
      );
    return {
      ...result,
      floor: flops / peak,
      share: flops / seconds / peak,
      where,
      note: `${chosen}; matmul peak ${(peak / 1e9).toFixed(0)} GFLOP/s`,
    };
  };
}

const kinds = [
  ['convolutions', /conv/],
  ['matrix products and attention', /mm$|matmul|linear|dot_product|einsum/],
  ['batch norm', /batch_norm/],
  ['AdamW', /adamw/],
];

/** Returns a sentence on the time of a step by kind of operator. */
function profileOf(step) {
  const rows = torch.profile(step);
  const total = rows.reduce((sum, { seconds }) => sum + seconds, 0);
  const shares = kinds.map(([kind, pattern]) => [
    kind,
    rows.reduce((sum, { name, seconds }) => sum + (pattern.test(name) ? seconds : 0), 0) / total,
  ]);
  shares.push(['the rest', 1 - shares.reduce((sum, [, share]) => sum + share, 0)]);
  return `of the step's time: ${shares.map(([kind, share]) => `${kind} ${(100 * share).toFixed(0)}%`).join(', ')}`;
}

function totalFlops({ ids, augmentedIds }, model) {
  const each = [ids, augmentedIds].filter((given) => given !== undefined).map((given) => stepFlops(given, model));
  return each.includes(undefined) ? undefined : each.reduce((sum, flops) => sum + flops);
}

const PART = 64; // rows that are made at once, so that making a batch takes little more memory than the batch

/** Makes a batch: each image is a ramp of its own. Augmented views are the images and captions of other rows. */
function makeBatch(pairs, size, inmodal) {
  const inParts = (whole, make) => {
    for (let start = 0; start < pairs; start += PART) {
      const length = Math.min(PART, pairs - start);
      torch.tidy(() => void whole.narrow(0, start, length).copy_(make(start, length)));
    }
    return whole;
  };
  const ramps = (from, count) =>
    torch
      .arange(3 * size * size)
      .mul_(7)
      .unsqueeze(0)
      .mul(
        torch
          .arange(from, from + count)
          .add_(3)
          .unsqueeze(1),
      )
      .remainder(251)
      .view([count, 3, size, size]);
  const pixels = (from) =>
    inParts(torch.empty([pairs, 3, size, size], { dtype: 'uint8' }), (start, count) => ramps(from + start, count));
  const captions = (from, count) => cleanclip.tokenize(Array.from({ length: count }, (_, i) => caption(from + i)));
  const ids = (from) =>
    inParts(torch.empty([pairs, 77], { dtype: 'int64' }), (start, count) => captions(from + start, count));
  const rows = Int32Array.from({ length: pairs }, (_, i) => i);
  const isBackdoor = Array.from(rows, () => false);
  return {
    index: 0,
    rows,
    isBackdoor,
    pixels: pixels(0),
    ids: ids(0),
    ...(inmodal && { augmentedPixels: pixels(pairs), augmentedIds: ids(pairs) }),
    dispose() {},
  };
}

/** Writes the batch for Python; augmented views follow the plain ones along the first dimension. */
function shareBatch({ pixels, ids, augmentedPixels, augmentedIds }, file) {
  const both = (first, second) => (second === undefined ? first : torch.cat([first, second]));
  torch.tidy(() => torch.save({ pixels: both(pixels, augmentedPixels), ids: both(ids, augmentedIds) }, file));
}
