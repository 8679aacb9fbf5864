// Measures how costs grow with sizes, on this side alone.
import { openSide } from './sides.mjs';
import { exponentOf } from './slope.mjs';

/** Times that grow no faster than the size, and memory that is flat. */
const seconds = (title, more = {}) => ({ title, key: 'seconds', unit: 's', atMost: 1.05, ...more });
const bytes = (title, more = {}) => ({ title, key: 'bytes', unit: 'bytes', atMost: 0.05, ...more });

/**
 * What is measured for each of some sizes. Each of `rows` is a line of the table, from one key of the results, with the
 * largest exponent that is wanted and the reason where it is known to be larger. `args` gives the arguments for a size;
 * `quick` has the sizes with --quick. Sizes from `once` on are measured once, others three times, of which the lowest
 * counts.
 */
const measurements = [
  {
    module: 'long_csv',
    sizes: [30_000, 300_000, 3_000_000, 30_000_000],
    quick: [3000, 30_000],
    once: 3_000_000,
    args: (rows) => ({ rows }),
    rows: [seconds('rows of the csv: seconds until it is read'), bytes('the same: peak memory of a run')],
  },
  {
    module: 'step',
    sizes: [8, 32, 128],
    quick: [8, 32],
    args: (pairs) => ({ model: 'tiny', pairs }),
    rows: [seconds('pairs in a batch: a step, tiny model')],
  },
  {
    module: 'step',
    sizes: [128, 512, 2048, 8192, 32_768],
    quick: [128, 512],
    once: 512,
    args: (pairs) => ({ model: 'tiny', pairs, accumFreq: pairs / 64, shared: false }),
    rows: [
      seconds('pairs in a batch, in parts of 64 (--accum_freq): a step, tiny model'),
      bytes('the same: peak memory', { atMost: 1 }),
      bytes("the same: peak memory without the batch's own pixels and token ids", {
        key: 'bytesBesideBatch',
        why: 'similarities take 256 MiB from 4,096 pairs on; features and their gradients take 3 kB per pair',
      }),
    ],
  },
  {
    module: 'step',
    sizes: [8, 32, 128],
    quick: [8, 16],
    once: 8,
    args: (pairs) => ({ model: 'ViT-B/32', pairs, accumFreq: pairs / 8 }),
    rows: [bytes('pairs in a batch, ViT-B/32 in parts of 8: peak memory of a step')],
  },
  {
    module: 'step',
    sizes: [64 ** 2, 128 ** 2, 256 ** 2],
    quick: [64 ** 2, 128 ** 2],
    args: (pixels) => ({ model: 'tiny', pairs: 32, imageSize: Math.sqrt(pixels) }),
    rows: [seconds('pixels of an image: a step of 32 pairs, tiny model at 64, 128, 256')],
  },
  {
    module: 'loading',
    sizes: [1, 2],
    quick: [1, 2],
    args: (workers) => ({ workers, pairs: 512 }),
    rows: [
      seconds('loader threads: an epoch of real files without training', {
        atMost: -0.9,
        why: 'two threads at a time take more CPU time for the same images, as the next line measures',
      }),
      seconds('the same: CPU time of all threads', { key: 'cpu', atMost: undefined }),
    ],
  },
  {
    module: 'zeroshot',
    sizes: [800, 8000, 80_000],
    quick: [800, 1600],
    args: (texts) => ({ model: 'tiny', classes: texts / 80, templates: 80, images: 16 }),
    rows: [seconds('classes × 80 templates: zero-shot evaluation, tiny model'), bytes('the same: peak memory')],
  },
  {
    module: 'zeroshot',
    sizes: [256, 1024, 4096],
    quick: [64, 256],
    args: (images) => ({ model: 'tiny', classes: 10, templates: 1, images }),
    rows: [seconds('images: zero-shot evaluation on 10 classes, tiny model'), bytes('the same: peak memory')],
  },
];

/**
 * @returns {Promise<{ title, unit, atMost, why, sizes, costs, exponent }[]>} exponent: the e of cost = c · size^e
 */
export async function measureGrowth(environment, quick) {
  const results = [];
  for (const measurement of measurements) {
    console.log(`growth with ${measurement.rows[0].title} …`);
    const sizes = quick ? measurement.quick : measurement.sizes;
    const taken = [];
    for (const size of sizes) taken.push(await measureSize(measurement, size, environment, quick));
    for (const { key, ...row } of measurement.rows) {
      const costs = taken.map((rounds) => Math.min(...rounds.map((result) => result[key])));
      results.push({ ...row, sizes, costs, exponent: exponentOf(sizes, costs) });
    }
  }
  return results;
}

/** Returns the results of each round, measured in a process of its own, whose peak memory is that of this size. */
async function measureSize({ module, args, once = Infinity }, size, environment, quick) {
  const side = await openSide('node', { module, args: { folder: environment.folder, ...args(size) } }, environment);
  const rounds = [];
  for (let round = 0; round < (quick || size >= once ? 1 : 3); round++) rounds.push(await side.measure());
  await side.close();
  return rounds;
}
