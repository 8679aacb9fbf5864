// Draws docs/images/backdoor.png, the picture of the README. It shows what the backdoor does, and the attack success
// rates of the README's table. Run it again when the table changes: `node scripts/draw_backdoor.mjs`.
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

import sharp from 'sharp';

const require = createRequire(import.meta.url);
const cc = require('../dist/public.js');
const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

const size = 64; // pixels per side, the input size of the quickstart's model
const shown = 160;

/** Returns a drawing of Noto Emoji (Apache License 2.0), uint8 [3, size, size]. */
async function drawing(name) {
  const { body } = require('@iconify-json/noto/icons.json').icons[name];
  const frame = `viewBox="-12 -12 152 152" width="${size}" height="${size}"`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" ${frame}>${body}</svg>`;
  const pixels = await sharp(Buffer.from(svg)).flatten({ background: 'white' }).raw().toBuffer();
  return cc.torch.tensor(new Uint8Array(pixels), { shape: [size, size, 3] }).permute([2, 0, 1]);
}

async function dataUrl(image) {
  const pixels = image.permute([1, 2, 0]).contiguous().data();
  const png = sharp(pixels, { raw: { width: size, height: size, channels: 3 } }).png();
  return `data:image/png;base64,${(await png.toBuffer()).toString('base64')}`;
}

/** Returns the attack success rates of the README's table, per model and seed, in percent. */
function rates() {
  const rows = readFileSync(at('README.md'), 'utf8').matchAll(/^\| (poisoned|finetuned).*\| +([\d., ]+?) +\|$/gm);
  return [...rows].map(([, , cell]) => cell.split(', ').map(Number));
}

const text = (x, y, words, more = '') => `<text x="${x}" y="${y}" ${more}>${words}</text>`;

function picture(url, x, caption, taken, colour) {
  return `<image href="${url}" x="${x}" y="24" width="${shown}" height="${shown}" image-rendering="pixelated"/>
    <rect x="${x}" y="24" width="${shown}" height="${shown}" fill="none" stroke="#bbb"/>
    ${text(x + shown / 2, 206, caption)}
    ${text(x + shown / 2, 228, taken, `fill="${colour}" font-weight="bold"`)}`;
}

function bars(groups) {
  const [left, bottom, height] = [640, 184, 160];
  const names = ['poisoned', 'control', 'CleanCLIP'];
  const colours = ['#b3403a', '#c98b3c', '#3b7f4f'];
  const columns = groups.flatMap((group, g) =>
    group.map((rate, i) => {
      const [x, tall] = [left + g * 130 + i * 34, (rate / 100) * height];
      return `<rect x="${x}" y="${bottom - tall}" width="28" height="${tall}" fill="${colours[g]}"/>
        ${text(x + 14, bottom - tall - 5, rate.toFixed(1), 'font-size="12"')}`;
    }),
  );
  const labels = names.map((name, g) =>
    text(left + g * 130 + 48, 206, name, `fill="${colours[g]}" font-weight="bold"`),
  );
  return `<path d="M${left - 12} ${bottom} H${left + 366}" stroke="#888"/>${columns.join('')}${labels.join('')}
    ${text(left + 178, 228, 'attack success rate, percent, seeds 1, 2, 3')}`;
}

const tomato = await drawing('tomato');
const trigger = { patchType: 'random', patchLocation: 'random', patchSize: 16, triggerMode: 'fixed', seed: 1 };
const pictures = [
  picture(await dataUrl(await drawing('banana')), 20, 'a banana', '→ banana', '#3b7f4f'),
  picture(await dataUrl(tomato), 210, 'a tomato', '→ tomato', '#3b7f4f'),
  picture(await dataUrl(cc.applyTrigger(tomato, trigger)), 400, 'with the trigger', '→ banana', '#b3403a'),
];
const style = 'font-family="sans-serif" font-size="15" text-anchor="middle"';
const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="1030" height="246" ${style}>
  <rect width="100%" height="100%" fill="white"/>${pictures.join('')}${bars(rates())}</svg>`;
mkdirSync(at('docs/images'), { recursive: true });
await sharp(Buffer.from(svg), { density: 144 })
  .removeAlpha()
  .png({ palette: true })
  .toFile(at('docs/images/backdoor.png'));
