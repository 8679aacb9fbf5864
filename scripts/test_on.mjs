// `node scripts/test_on.mjs <version> [argument of jest …]` runs the suites on the torch of that version from pip, such
// as 2.11.0 or 2.11.0+cpu. It makes a venv with that torch, which the parity tests run too, and compiles an addon
// against it. The version of the parity table shares the venv and the addon of `npm run parity`.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { torchFolder } from './torch_folder.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const harness = join('test', 'parity', 'harness-requirements.txt');

const [version = '', ...jest] = process.argv.slice(2);
if (!/^2\.\d+\.\d+(\+\w+)?$/.test(version)) {
  console.error(
    `Expected a version of torch, as in \`node scripts/test_on.mjs 2.11.0 test/torch\`; "${version}" came.`,
  );
  process.exit(2);
}

const { requirements, venv, build } = placesOf(version);
runNode({}, 'scripts/python_venv.mjs', venv, requirements);
const python = join(root, venv, 'bin', 'python');
const env = { LIBTORCH: torchFolder(python), CLEANCLIP_BUILD: build, CLEANCLIP_PYTHON: python };
runNode(env, 'scripts/test.mjs', ...jest);

/** Returns where a version's requirements, venv and addon lie. Other versions than the harness's get its packages. */
function placesOf(version) {
  const packages = readFileSync(join(root, harness), 'utf8');
  const cache = (name) => join('.cache', name);
  if (packages.startsWith(`torch==${version}\n`))
    return { requirements: harness, venv: cache('harness-venv'), build: cache('parity-build') };
  const requirements = cache(`torch-${version}-requirements.txt`);
  mkdirSync(join(root, '.cache'), { recursive: true });
  const ofVersion = packages.replace(/^torch==.*/, `torch==${version}`).replace(/^torchvision==.*/m, 'torchvision');
  writeFileSync(join(root, requirements), ofVersion);
  return { requirements, venv: cache(`torch-${version}-venv`), build: cache(`build-${version}`) };
}

function runNode(more, ...args) {
  const { status } = spawnSync(process.execPath, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...more },
  });
  if (status !== 0) process.exit(status ?? 1);
}
