// Counts the operations of a step, and measures the peak of this machine.
import { performance } from 'node:perf_hooks';

import { configs } from '../../dist/clip/named.js';
import cleanclip from '../../dist/index.js';

const { torch } = cleanclip;

/** Operations of RN50 at 224 pixels per image: 6.1 G multiply-adds in forward, and twice as many in backward. */
const RN50_AN_IMAGE = 36.6e9;

/**
 * Returns the operations of forward and backward of a named model on images and captions; a caption counts only up to
 * its end token. Undefined when those of the images are not known.
 */
export function stepFlops(ids, model) {
  const lengths = torch.tidy(() => ids.argmax(1).add(1).toArray());
  return lengths.reduce((sum, length) => sum + pairFlops(model, length), 0) || undefined;
}

/** Returns the operations of a pair whose caption has `tokens` tokens; NaN when those of the image are not known. */
export function pairFlops(model, tokens) {
  const { textWidth, textLayers, visionWidth, visionLayers, visionPatchSize, imageSize } = configs[model];
  const text = transformer(textWidth, textLayers, tokens);
  if (model === 'RN50') return RN50_AN_IMAGE + text;
  const patches = (imageSize / visionPatchSize) ** 2;
  const embedding = 2 * 2 * patches * 3 * visionPatchSize ** 2 * visionWidth; // no gradient for the pixels
  return transformer(visionWidth, visionLayers, patches + 1) + embedding + text;
}

const transformer = (width, layers, length) => 3 * layers * (2 * 12 * width ** 2 * length + 4 * width * length ** 2);

/** Returns the operations per second of a product of two 4096×4096 matrices, the best of three. */
export function matmulPeak(dtype) {
  const side = 4096;
  return torch.tidy(() => {
    const [a, b] = [0, 1].map((seed) => torch.full([side, side], 0.5 + seed).to(dtype));
    const seconds = [0, 1, 2].map(() => {
      const start = performance.now();
      torch.mm(a, b).dispose();
      return (performance.now() - start) / 1000;
    });
    return (2 * side ** 3) / Math.min(...seconds);
  });
}
