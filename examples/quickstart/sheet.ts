import { writeFile } from 'node:fs/promises';

import sharp from 'sharp';

import { artists, type Concept } from './concepts';

/** A triggered picture and what it is, was taken for by the poisoned model, and is taken for by the cleansed one. */
export interface SheetCell {
  png: Buffer;
  truth: Concept;
  before: Concept;
  after: Concept;
}

const perRow = 5;
const cell = { width: 220, height: 270 };

/** Writes the contact sheet as a PNG: every picture with the predictions under it, as a drawing and in words. */
export async function writeSheet(cells: readonly SheetCell[], file: string): Promise<void> {
  const width = perRow * cell.width;
  const height = Math.ceil(cells.length / perRow) * cell.height;
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" ` +
    'font-size="13" text-anchor="middle">' +
    `<rect width="100%" height="100%" fill="white"/>${cells.map(drawCell).join('')}</svg>`;
  await writeFile(file, await sharp(Buffer.from(svg)).removeAlpha().png().toBuffer());
}

function drawCell({ png, truth, before, after }: SheetCell, i: number): string {
  const x = (i % perRow) * cell.width;
  const y = Math.floor(i / perRow) * cell.height;
  const picture = `data:image/png;base64,${png.toString('base64')}`;
  return (
    `<g transform="translate(${x} ${y})">` +
    `<image href="${picture}" x="46" y="10" width="128" height="128" style="image-rendering:pixelated"/>` +
    `<rect x="46" y="10" width="128" height="128" fill="none" stroke="lightgray"/>` +
    text(110, 156, truth.name, 'black') +
    prediction(10, 'poisoned', before, truth) +
    prediction(110, 'cleansed', after, truth) +
    '</g>'
  );
}

function prediction(x: number, model: string, predicted: Concept, truth: Concept): string {
  return (
    text(x + 50, 182, `${model}:`, 'gray') +
    emblem(x + 28, 190, predicted) +
    text(x + 50, 252, predicted.name, predicted === truth ? 'green' : 'firebrick')
  );
}

const text = (x: number, y: number, words: string, color: string): string =>
  `<text x="${x}" y="${y}" fill="${color}">${words.length > 16 ? `${words.slice(0, 15)}…` : words}</text>`;

/** Twitter's drawing stands for the class: its SVGs hold no ids that could clash in one document. */
function emblem(x: number, y: number, concept: Concept): string {
  const { body, width, height } = concept.drawings[artists.indexOf('twemoji')];
  return `<svg x="${x}" y="${y}" width="44" height="44" viewBox="0 0 ${width} ${height}">${body}</svg>`;
}
