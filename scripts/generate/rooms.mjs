// The picture in ARCHITECTURE.md of the rooms of src/ and which imports which, drawn from the imports.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { cruise } from 'dependency-cruiser';
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config';

const [begin, end] = ['<!-- rooms: drawn by scripts/generate/rooms.mjs -->\n', '<!-- /rooms -->'];

/** ARCHITECTURE.md with the present picture between its markers. */
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
 * For each room, the rooms whose files its own import; files in src/ itself belong to no room, nor does the leaf
 * backdoor/names.ts, which options read too.
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

/** The arrows that say something: not those between rooms that others join already. */
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
