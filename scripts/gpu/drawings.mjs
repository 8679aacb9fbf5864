// `node drawings.mjs <folder>`: writes the icon sets of the quickstart there as packages, with the drawings that it
// reads and no others, a twentieth of them.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);
const { artists } = require('../../.cache/examples/quickstart/concepts.js');
const read = (set, file) => JSON.parse(readFileSync(require.resolve(`@iconify-json/${set}/${file}`), 'utf8'));

const { categories } = read('noto', 'metadata.json');
const wanted = ['Animals & Nature', 'Food & Drink'].flatMap((name) => categories[name]);
const sets = Object.fromEntries([...artists, 'emojione'].map((name) => [name, read(name, 'icons.json')]));
const drawn = wanted.filter((icon) => artists.every((name) => icon in sets[name].icons));
for (const [name, { icons, width, height }] of Object.entries(sets)) {
  const folder = join(process.argv[2], name);
  mkdirSync(folder, { recursive: true });
  const kept = Object.fromEntries(drawn.filter((icon) => icon in icons).map((icon) => [icon, icons[icon]]));
  writeFileSync(join(folder, 'icons.json'), JSON.stringify({ icons: kept, width, height }));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: `@iconify-json/${name}` }));
}
writeFileSync(join(process.argv[2], 'noto/metadata.json'), JSON.stringify({ categories }));
