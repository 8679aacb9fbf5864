import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import sharp from 'sharp';

import { Random } from '../../src/random';
import { miniModel } from './pairs';

const colours = { red: [210, 40, 40], green: [40, 170, 60], blue: [40, 60, 210], grey: [128, 128, 128] } as const;

/** The classes of the coloured images. */
export const colourNames = Object.keys(colours);

/**
 * Makes a fresh folder with two labelled sets of plain noisy images of four colours, `train/` with `copies` a class and
 * `test/` with `testCopies`, and `model.json`, the sizes of {@link miniModel}.
 */
export async function colourSets(copies: number, testCopies: number): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'cleanclip-colours-'));
  const random = new Random(7);
  for (const [set, count] of [
    ['train', copies],
    ['test', testCopies],
  ] as const) {
    mkdirSync(join(folder, set));
    const labels = ['image,label'];
    for (const [label, colour] of Object.values(colours).entries()) {
      for (let copy = 0; copy < count; copy++) {
        const pixels = Uint8Array.from(
          { length: 3 * 32 * 32 },
          (_, i) => colour[i % 3] + Math.round(random.uniform(-30, 30)),
        );
        await sharp(pixels, { raw: { width: 32, height: 32, channels: 3 } })
          .png()
          .toFile(join(folder, set, `${label}_${copy}.png`));
        labels.push(`${label}_${copy}.png,${label}`);
      }
    }
    writeFileSync(join(folder, set, 'labels.csv'), labels.join('\n'));
    writeFileSync(
      join(folder, set, 'classes.json'),
      JSON.stringify({ classes: colourNames, templates: ['a {} square'] }),
    );
  }
  writeFileSync(join(folder, 'model.json'), JSON.stringify(miniModel));
  return folder;
}
