// Measures embedding pairs, from the checkpoint and the csv to the file of embeddings.
import { existsSync, linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

import cleanclip from '../../dist/index.js';
import { caption, photographs } from './inputs.mjs';
import { weightsFile } from './model.mjs';

/** Writes a csv of pairs, each with an image file of its own, unless it exists. Returns its path. */
async function ownImages(folder, pairs) {
  const file = join(folder, `own_images_${pairs}.csv`);
  const images = await photographs(folder);
  if (existsSync(file)) return file;
  mkdirSync(join(folder, 'own_images'), { recursive: true });
  const rows = Array.from({ length: pairs }, (_, i) => {
    const name = `own_images/${i}.jpg`;
    linkSync(join(folder, images[i % images.length]), join(folder, name));
    return `${name},${caption(i)}`;
  });
  writeFileSync(file, ['image,caption', ...rows, ''].join('\n'));
  return file;
}

export async function prepare({ folder, model, pairs }) {
  const checkpoint = weightsFile(folder, model);
  const trainData = await ownImages(folder, pairs);
  const output = join(folder, 'embeddings.safetensors');
  return async () => {
    const start = performance.now();
    await cleanclip.embed({ checkpoint, trainData, output, numWorkers: 2, device: 'cpu', activation: 'quick_gelu' });
    return { seconds: (performance.now() - start) / 1000 };
  };
}
