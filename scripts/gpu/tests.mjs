// `node tests.mjs <folder>`: writes the tests that smoke.mjs runs there, compiled, with what they read.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import ts from 'typescript';

const folders = ['test/support', 'test/torch/distributed'];
const files = ['test/native/smoke.test.ts', 'test/torch/cuda.test.ts'];
for (const folder of folders)
  files.push(...readdirSync(folder).flatMap((name) => (/(?<!\.test)\.[jt]s$/.test(name) ? [join(folder, name)] : [])));

for (const file of files) {
  const source = readFileSync(file, 'utf8');
  const options = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, esModuleInterop: true };
  const compiled = file.endsWith('.js')
    ? source
    : ts.transpileModule(source, { compilerOptions: options }).outputText.replace(/"((?:\.\.\/)+)src\b/g, '"$1dist');
  const written = join(process.argv[2], file.replace(/\.ts$/, '.js'));
  mkdirSync(dirname(written), { recursive: true });
  writeFileSync(written, compiled);
}
