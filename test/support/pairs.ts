import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import sharp from 'sharp';

/** A CLIP small enough that a step takes milliseconds. */
export const miniModel = {
  embedDim: 32,
  imageSize: 32,
  visionLayers: [1, 1, 1, 1],
  visionWidth: 8,
  contextLength: 77,
  vocabularySize: 49408,
  textWidth: 32,
  textHeads: 2,
  textLayers: 1,
};

const colours = { red: '#e02020', green: '#20c040', blue: '#2040e0', yellow: '#f0e020' };
const shapes = {
  circle: '<circle cx="20" cy="20" r="14"/>',
  square: '<rect x="7" y="7" width="26" height="26"/>',
  triangle: '<path d="M20 5 L36 34 L4 34 Z"/>',
};

/** The classes of the drawings: 'red circle', … */
export const classes = Object.keys(colours).flatMap((colour) =>
  Object.keys(shapes).map((shape) => `${colour} ${shape}`),
);

/**
 * Draws coloured shapes into a fresh folder: `train.csv` of `copies` pictures a class, slightly turned, with captions;
 * `test/`, a labelled set of one picture a class; `model.json`, the sizes of {@link miniModel}.
 */
export async function drawShapes(copies: number): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'cleanclip-shapes-'));
  mkdirSync(join(folder, 'images'));
  mkdirSync(join(folder, 'test'));
  const rows = ['image,caption'];
  const labels = ['image,label'];
  const draw = async (name: string, angle: number, file: string): Promise<void> => {
    const [colour, shape] = name.split(' ') as [keyof typeof colours, keyof typeof shapes];
    const body = `<g fill="${colours[colour]}" transform="rotate(${angle} 20 20)">${shapes[shape]}</g>`;
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><rect width="40" height="40" ' +
      `fill="#fff"/>${body}</svg>`;
    await sharp(Buffer.from(svg)).png().toFile(join(folder, file));
  };
  for (const [label, name] of classes.entries()) {
    for (let copy = 0; copy < copies; copy++) {
      const file = `images/${label}_${copy}.png`;
      await draw(name, copy * 7, file);
      rows.push(`${file},a drawing of a ${name}`);
    }
    await draw(name, 3, `test/${label}.png`);
    labels.push(`${label}.png,${label}`);
  }
  writeFileSync(join(folder, 'train.csv'), rows.join('\n'));
  writeFileSync(join(folder, 'test', 'labels.csv'), labels.join('\n'));
  writeFileSync(
    join(folder, 'test', 'classes.json'),
    JSON.stringify({ classes, templates: ['a drawing of a {}', 'a {}'] }),
  );
  writeFileSync(join(folder, 'model.json'), JSON.stringify(miniModel));
  return folder;
}
