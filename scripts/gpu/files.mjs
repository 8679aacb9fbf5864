// Where things lie, and which form of the check this is.
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A rehearsal without a GPU: the same stages, small. */
export const rehearsal = process.env.GPU_CHECK_CPU === '1';

/** The root of the unpacked package. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** The folder for everything but results. */
export const work = resolve(process.env.GPU_CHECK_WORK ?? '.');

/** What prepare.mjs makes: `pairs.csv` of JPEGs, and the pictures of the quickstart. */
export const inputs = join(work, 'inputs');

/** The folder of the results. */
export const out = resolve(process.env.OUT ?? 'gpu-results');

/** A compiled module of the quickstart; a rehearsal's settings are smaller yet than its small ones. */
export function quickstartModule(name) {
  const require = createRequire(import.meta.url);
  const load = (file) => require(join(root, '.cache/examples/quickstart', `${file}.js`));
  if (rehearsal) {
    const training = { epochs: 1, batchSize: 32, lr: 1e-3, numWarmupSteps: 2 };
    const sizes = { concepts: 10, renders: 8, cleanRows: 96, numBackdoor: 20 };
    Object.assign(load('settings').small, sizes, { train: training, finetune: training });
  }
  return load(name);
}
