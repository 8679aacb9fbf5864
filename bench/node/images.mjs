// Measures the way from a JPEG file to a model's pixels, in CPU time of all threads, that is per core.
import { join } from 'node:path';

import { decodeImage } from '../../dist/images/image.js';
import cleanclip from '../../dist/index.js';
import { photographs } from './inputs.mjs';

const { torch, autoAugment, normalize, preprocess, resizeCrop } = cleanclip;

/** What is done to a file; each gives tensors. */
const works = {
  preprocess: (file) => preprocess(file, { size: 224 }),
  augment: (file, seed) => decoded(file, (image) => normalize(resizeCrop(autoAugment(image, { seed }), 224))),
  /** a loader's thread, for a pair of CleanCLIP */
  views: (file, seed) =>
    decoded(file, (image) => [resizeCrop(image, 224), resizeCrop(autoAugment(image, { seed }), 224)]),
  /** a loader's thread with --augment_on device */
  decode: (file) => decodeImage(file),
};

async function decoded(file, use) {
  const image = await decodeImage(file);
  const result = torch.tidy(() => use(image));
  image.dispose();
  return result;
}

export async function prepare({ folder, work }) {
  torch.setNumThreads(1);
  const files = (await photographs(folder)).map((name) => join(folder, name));
  let seed = 0;
  return async () => {
    const start = process.cpuUsage();
    for (const file of files) [await works[work](file, seed++)].flat().forEach((tensor) => tensor.dispose());
    const { user, system } = process.cpuUsage(start);
    return { seconds: (user + system) / 1e6 / files.length };
  };
}
