// Cost against size, on this side alone, three points each.
import { openSide } from './sides.mjs';

/** A line of the section: what is measured, at which sizes, and the arguments of a size. */
const lines = [
  {
    title: 'rows of the csv: seconds until it is read',
    module: 'csv_run',
    key: 'seconds',
    unit: 's',
    sizes: [30_000, 300_000, 3_000_000],
    quick: [3000, 30_000],
    args: (rows) => ({ rows }),
  },
  {
    title: 'rows of the csv: peak memory of a run',
    module: 'csv_run',
    key: 'bytes',
    unit: 'bytes',
    sizes: [30_000, 300_000, 3_000_000],
    quick: [3000, 30_000],
    args: (rows) => ({ rows }),
  },
  {
    title: 'pairs in a batch: a step, tiny model',
    module: 'step',
    key: 'seconds',
    unit: 's',
    sizes: [8, 32, 128],
    quick: [8, 32],
    args: (pairs) => ({ model: 'tiny', pairs }),
  },
  {
    title: 'the same in parts of 8 (--accum_freq)',
    module: 'step',
    key: 'seconds',
    unit: 's',
    sizes: [8, 32, 128],
    quick: [8, 32],
    args: (pairs) => ({ model: 'tiny', pairs, accumFreq: pairs / 8 }),
  },
  {
    title: 'pairs in a batch, ViT-B/32 in parts of 8: peak memory of a step',
    module: 'step',
    key: 'bytes',
    unit: 'bytes',
    sizes: [8, 32, 128],
    quick: [8],
    args: (pairs) => ({ model: 'ViT-B/32', pairs, accumFreq: pairs / 8 }),
  },
  {
    title: 'pixels of an image: a step of 32 pairs, tiny model at 64, 128, 256',
    module: 'step',
    key: 'seconds',
    unit: 's',
    sizes: [64 ** 2, 128 ** 2, 256 ** 2],
    quick: [64 ** 2, 128 ** 2],
    args: (pixels) => ({ model: 'tiny', pairs: 32, imageSize: Math.sqrt(pixels) }),
  },
  {
    title: 'loader threads: an epoch of real files without training',
    module: 'loading',
    key: 'seconds',
    unit: 's',
    sizes: [1, 2],
    quick: [1, 2],
    args: (workers) => ({ workers, pairs: 512 }),
  },
  {
    title: 'classes × 80 templates: zero-shot evaluation, tiny model',
    module: 'zeroshot',
    key: 'seconds',
    unit: 's',
    sizes: [800, 8000, 80_000],
    quick: [800, 1600],
    args: (texts) => ({ model: 'tiny', classes: texts / 80, templates: 80, images: 16 }),
  },
];

/** @returns {Promise<{ title, sizes, costs, unit, exponent }[]>} */
export async function measureGrowth(environment, quick) {
  const results = [];
  for (const { title, module, key, unit, sizes: full, quick: small, args } of lines) {
    console.log(`growth with ${title} …`);
    const sizes = quick ? small : full;
    const costs = [];
    for (const size of sizes) {
      const side = await openSide('node', { module, args: { folder: environment.folder, ...args(size) } }, environment);
      const rounds = [];
      for (let round = 0; round < (quick || unit === 'bytes' ? 1 : 3); round++)
        rounds.push((await side.measure())[key]);
      costs.push(Math.min(...rounds));
      await side.close();
    }
    results.push({ title, sizes, costs, unit, exponent: slope(sizes.map(Math.log), costs.map(Math.log)) });
  }
  return results;
}

/** Of the least-squares line. */
function slope(x, y) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [mx, my] = [mean(x), mean(y)];
  return mean(x.map((value, i) => (value - mx) * (y[i] - my))) / mean(x.map((value) => (value - mx) ** 2));
}
