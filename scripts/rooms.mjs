// Draws the rooms of src/ and which imports which into ARCHITECTURE.md, between its markers: `node scripts/rooms.mjs`.
// With --check it writes nothing, and fails when the picture is not current.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

import { cruise } from 'dependency-cruiser';
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config';

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL('..', import.meta.url));
const page = fileURLToPath(new URL('../ARCHITECTURE.md', import.meta.url));
const [begin, end] = ['<!-- rooms: drawn by scripts/rooms.mjs -->', '<!-- /rooms -->'];

process.chdir(root);
const { options } = require('../.dependency-cruiser.cjs');
const found = await cruise(['src'], options, undefined, { tsConfig: extractTSConfig('tsconfig.json') });

/** The room of a file of src/; undefined for the leaves and the entrance, which lie in src/ itself. */
const roomOf = (file) => /^src\/([^/]+)\//.exec(file)?.[1];

/** For each room, the rooms whose files its own import. */
const imports = new Map();
for (const { source, dependencies } of found.output.modules) {
  const from = roomOf(source);
  if (from === undefined) continue;
  if (!imports.has(from)) imports.set(from, new Set());
  for (const { resolved } of dependencies) {
    const to = roomOf(resolved);
    if (to !== undefined && to !== from) imports.get(from).add(to);
  }
}

/** Whether a room reaches another over at least one room between them: then the arrow says nothing new. */
function reachesOverOthers(from, to) {
  const seen = new Set();
  const reach = (room) =>
    [...imports.get(room)].some((next) => next === to || (!seen.has(next) && (seen.add(next), reach(next))));
  return [...imports.get(from)].some((next) => next !== to && reach(next));
}

const arrows = [...imports]
  .flatMap(([from, targets]) =>
    [...targets].filter((to) => !reachesOverOthers(from, to)).map((to) => `  ${from} --> ${to}`),
  )
  .sort();
const picture = ['```mermaid', 'flowchart TD', ...arrows, '```'].join('\n');

const text = readFileSync(page, 'utf8');
const [before, , after] = text.split(new RegExp(`(?<=${begin}\n)([^]*?)(?=${end})`));
if (after === undefined) throw new Error(`ARCHITECTURE.md has no '${begin}' and '${end}' to draw between.`);
const drawn = `${before}\n${picture}\n\n${after}`;
if (!process.argv.includes('--check')) writeFileSync(page, drawn);
else if (drawn !== text) {
  console.error('The picture of the rooms in ARCHITECTURE.md is not current; run `npm run generate` and commit it.');
  process.exit(1);
}
