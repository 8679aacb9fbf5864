// `npm run generate` writes every generated file of the tree: option types, docs/flags.md, the API reference, the types
// and names of operators, and the rooms in ARCHITECTURE.md. `npm run generate -- --check` fails when a committed file
// is not current.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { operatorNames, operatorTypes } from './generate/operators.mjs';
import { flagTables, inputTypes } from './generate/options.mjs';
import { apiReference } from './generate/reference.mjs';
import { architecture } from './generate/rooms.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const check = process.argv.includes('--check');

// The tables are read from dist/. A compile error does not stop the script: a file that is written below may fix it.
const tsc = [join(root, 'node_modules/typescript/bin/tsc'), '-p', root];
const { status } = spawnSync(process.execPath, tsc, { stdio: 'inherit' });

for (const generate of [inputTypes, flagTables, operatorTypes, operatorNames, architecture, apiReference]) {
  const { file, text } = await generate({ root, check });
  if (text === undefined) continue;
  const path = join(root, file);
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
  if (check) {
    console.error(`${file} is not current; run \`npm run generate\` and commit it.`);
    process.exitCode = 1;
  } else {
    writeFileSync(path, text);
    console.log(`${file} is written`);
  }
}
if (status !== 0) {
  console.error('The sources had errors when the tables were read; compile again.');
  process.exitCode = 1;
}
