// Draws the picture in ARCHITECTURE.md: the rooms (folders) of src/, and which room imports from which.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { cruise } from 'dependency-cruiser';
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config';

const [begin, end] = ['<!-- rooms: drawn by scripts/generate/rooms.mjs -->\n', '<!-- /rooms -->'];

/** Returns the name and the text of ARCHITECTURE.md, with the present picture between its markers. */
export async function architecture({ root }) {
  const file = 'ARCHITECTURE.md';
  const text = readFileSync(join(root, file), 'utf8');
  const [from, to] = [text.indexOf(begin) + begin.length, text.indexOf(end)];
  if (from < begin.length || to < from)
    throw new Error(`${file} has no '${begin.trim()}' and '${end}' to draw between.`);
  const picture = ['```mermaid', 'flowchart TD', ...arrows(await importsOfRooms(root)), '```'].join('\n');
  return { file, text: `${text.slice(0, from)}\n${picture}\n\n${text.slice(to)}` };
}

/**
 * Returns, for each room, the rooms from which its files import. Files in src/ itself belong to no room. Neither does
 * the leaf backdoor/names.ts, which options import too.
 */
async function importsOfRooms(root) {
  const { options } = createRequire(import.meta.url)(join(root, '.dependency-cruiser.cjs'));
  const tsConfig = extractTSConfig(join(root, 'tsconfig.json'));
  const { output } = await cruise(['src'], { ...options, baseDir: root }, undefined, { tsConfig });
  const roomOf = (path) => (path === 'src/backdoor/names.ts' ? undefined : /^src\/([^/]+)\//.exec(path)?.[1]);
  const imports = new Map();
  for (const { source, dependencies } of output.modules) {
    const room = roomOf(source);
    if (room === undefined) continue;
    if (!imports.has(room)) imports.set(room, new Set());
    for (const { resolved } of dependencies) {
      const other = roomOf(resolved);
      if (other !== undefined && other !== room) imports.get(room).add(other);
    }
  }
  return imports;
}

/** Returns the arrows of the picture, without those between rooms that a chain of other arrows connects. */
function arrows(imports) {
  const reaches = (from, to) => [...imports.get(from)].some((next) => next === to || reaches(next, to));
  return [...imports]
    .flatMap(([from, targets]) =>
      [...targets]
        .filter((to) => ![...targets].some((between) => between !== to && reaches(between, to)))
        .map((to) => `  ${from} --> ${to}`),
    )
    .sort();
}
