// What a step has to compute, and what this machine could at best.
import { performance } from 'node:perf_hooks';

import cleanclip from '../../dist/index.js';

const { torch } = cleanclip;

/** RN50 at 224 pixels: 6.1 G multiply-adds forward, and twice that backward. */
const FLOPS_AN_IMAGE = 36.6e9;

/** Forward and backward of RN50 on the images, and of the text transformer on each caption's own tokens. */
export function stepFlops(ids, { textWidth: width, textLayers: layers }) {
  const lengths = torch.tidy(() => ids.argmax(1).add(1).toArray());
  const text = lengths.reduce((sum, length) => sum + layers * (2 * 12 * width ** 2 * length + 4 * width * length ** 2), 0);
  return lengths.length * FLOPS_AN_IMAGE + 3 * text;
}

/** Operations a second of a bf16 product of two 4096×4096 matrices, the best of three. */
export function matmulPeak() {
  const side = 4096;
  return torch.tidy(() => {
    const [a, b] = [0, 1].map((seed) => torch.full([side, side], 0.5 + seed).to('bfloat16'));
    const seconds = [0, 1, 2].map(() => {
      const start = performance.now();
      torch.mm(a, b).dispose();
      return (performance.now() - start) / 1000;
    });
    return (2 * side ** 3) / Math.min(...seconds);
  });
}
