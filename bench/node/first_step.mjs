// `node first_step.mjs <weights>` does one training step of 8 pairs, and ends.
import cleanclip from '../../dist/index.js';
import { makeOptimizer } from '../../dist/training/optimizer.js';
import { trainStep } from '../../dist/training/step.js';

const clip = cleanclip.loadClip(process.argv[2]);
const optimizer = makeOptimizer(clip, { lr: 5e-4, beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0.1 });
const size = clip.config.imageSize;
const texts = Array.from({ length: 8 }, (_, i) => `a photo of number ${i}`);
const pixels = cleanclip.torch.zeros([8, 3, size, size], { dtype: 'uint8' });
const batch = {
  index: 0,
  rows: new Int32Array(8),
  isBackdoor: texts.map(() => false),
  pixels,
  ids: cleanclip.tokenize(texts),
};
trainStep(clip, optimizer, batch, { clipWeight: 1, inmodalWeight: 1 })();
