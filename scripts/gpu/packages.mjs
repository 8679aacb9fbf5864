// Prints the folders of the packages that run on the GPU's machine: the dependencies of cleanclip, and `expect`, which
// the tests take from jest; each with what it depends on in turn.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const folders = new Set();
const manifest = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

/** The folder of a package as Node finds it from another one's; undefined for an optional one that is not there. */
function find(name, from) {
  const folder = join(from, 'node_modules', name);
  if (existsSync(folder)) return folder;
  return from === '.' ? undefined : find(name, dirname(from));
}

function visit(name, from) {
  const folder = find(name, from);
  if (folder === undefined || name.startsWith('@types/') || folders.has(folder)) return;
  folders.add(folder);
  const { dependencies, optionalDependencies } = manifest(folder);
  for (const other of Object.keys({ ...dependencies, ...optionalDependencies })) visit(other, folder);
}

for (const name of [...Object.keys(manifest('.').dependencies), 'expect']) visit(name, '.');
console.log([...folders].join('\n'));
