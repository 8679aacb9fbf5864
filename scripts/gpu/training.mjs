// Our side of steps.mjs: a model on the device with its optimizer, its steps, and what they take.
import { performance } from 'node:perf_hooks';

import cleanclip from '../../dist/index.js';
import { makeOptimizer, makeScaler } from '../../dist/training/optimizer.js';
import { trainStep } from '../../dist/training/step.js';
import { device, median } from './stage.mjs';

const { torch } = cleanclip;
const gpu = device !== 'cpu';
const recipe = { lr: 5e-8, beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0.1 }; // the weights stay as they are

/** A training on the first rows of a batch; its augmented views are the next ones. */
export function openTraining({ weights, pixels, ids, pairs, inmodal, precision }) {
  if (gpu) torch.backends.cudnn.benchmark = true; // as a job sets it
  const clip = cleanclip.loadClip(weights, { device, precision, activation: 'quick_gelu' }).train();
  const optimizer = makeOptimizer(clip, recipe);
  const scaler = makeScaler(clip, undefined);
  const rows = (tensor, from) => tensor.narrow(0, from, pairs);
  const pinned = (from) => (gpu ? rows(pixels, from).pin_memory() : rows(pixels, from));
  const batch = {
    index: 0,
    rows: Int32Array.from({ length: pairs }, (_, i) => i),
    isBackdoor: Array(pairs).fill(false),
    pixels: pinned(0),
    ids: rows(ids, 0),
    ...(inmodal && { augmentedPixels: pinned(pairs), augmentedIds: rows(ids, pairs) }),
  };
  const step = () => trainStep(clip, optimizer, batch, { clipWeight: 1, inmodalWeight: 1 }, { scaler });
  return {
    measure: (steps) => measure(step, steps),
    dispose: () => {
      const views = [batch.pixels, batch.augmentedPixels, batch.ids, batch.augmentedIds];
      [...views, ...optimizer.moments()].forEach((tensor) => tensor?.dispose());
      clip.dispose();
      if (gpu) torch.cuda.emptyCache();
    },
  };
}

/** One step to warm up, then so many back to back: the loss of the first, seconds of each, and the gaps between. */
function measure(step, steps) {
  const { loss } = step()();
  if (gpu) torch.cuda.resetPeakMemoryStats();
  const marks = [];
  const reads = [];
  const enqueued = [];
  for (let i = 0; i < steps; i++) {
    const start = performance.now();
    const begin = mark();
    reads.push(step());
    marks.push([begin, mark()]);
    enqueued.push((performance.now() - start) / 1000);
  }
  reads.forEach((read) => read()); // waits for the device
  const result = {
    loss,
    steps: marks.map(([begin, end]) => between(begin, end)),
    gaps: marks.slice(1).map(([begin], i) => between(marks[i][1], begin)),
    enqueue: median(enqueued),
  };
  if (!gpu) return result;
  const bytes = torch.cuda.maxMemoryAllocated();
  torch.cuda.emptyCache(); // for the other side
  return { ...result, bytes };
}

/** A mark in the device's work, or in time. */
function mark() {
  if (!gpu) return performance.now();
  const event = new torch.cuda.Event();
  event.record();
  return event;
}

const between = (earlier, later) => (gpu ? earlier.elapsedTime(later) : later - earlier) / 1000;

/** Operations a second of a product of two square matrices: the median of ten, after three to warm up. */
export function matmulPeak(dtype, side) {
  return torch.tidy(() => {
    const generator = new torch.Generator(1);
    const [a, b] = [0, 1].map(() => torch.randn([side, side], { generator }).to({ device, dtype }));
    const seconds = Array.from({ length: 13 }, () => {
      const begin = mark();
      torch.mm(a, b).dispose();
      const end = mark();
      if (gpu) torch.cuda.synchronize();
      return between(begin, end);
    });
    return (2 * side ** 3) / median(seconds.slice(3));
  });
}
