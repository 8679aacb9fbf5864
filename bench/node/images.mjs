// A JPEG file to the pixels that a model takes; CPU time of all threads, so images a core.
import { join } from 'node:path';

import { decodeImage } from '../../dist/images/image.js';
import cleanclip from '../../dist/index.js';
import { photographs } from './inputs.mjs';

const { torch } = cleanclip;

export async function prepare({ folder, augment }) {
  torch.setNumThreads(1);
  const files = (await photographs(folder)).map((name) => join(folder, name));
  const augmented = async (file, seed) => {
    const image = await decodeImage(file);
    const pixels = torch.tidy(() =>
      cleanclip.normalize(cleanclip.resizeCrop(cleanclip.autoAugment(image, { seed }), 224)),
    );
    image.dispose();
    return pixels;
  };
  let seed = 0;
  return async () => {
    const start = process.cpuUsage();
    for (const file of files)
      (augment ? await augmented(file, seed++) : await cleanclip.preprocess(file, { size: 224 })).dispose();
    const { user, system } = process.cpuUsage(start);
    return { seconds: (user + system) / 1e6 / files.length };
  };
}
