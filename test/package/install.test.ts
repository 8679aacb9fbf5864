import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { temporaryFolder } from '../data/temporary';
import { environment, install, npm, pack, root } from './consumer';

const folder = temporaryFolder();
const project = join(folder, 'empty project');
let files: string[];

beforeAll(() => {
  const packed = pack(folder);
  files = packed.files;
  install(project, packed.tarball);
}, 120_000);

test('the package holds what a consumer needs, and nothing else', () => {
  const folders = new Set(files.map((file) => file.replace(/\/.*/, '')));
  expect([...folders].sort()).toEqual(
    [
      ...['CHANGELOG.md', 'CMakeLists.txt', 'LICENSE', 'README.md', 'SECURITY.md', 'bin', 'binding.gyp', 'data'],
      ...['dist', 'docs', 'index.d.mts', 'index.mjs', 'native', 'package.json', 'scripts'],
    ].sort(),
  );
  expect(files.filter((file) => file.startsWith('scripts/'))).toEqual(['scripts/install.js']);
  const compiled = files.filter((file) => file.startsWith('dist/'));
  const stale = compiled.filter(
    (file) => !existsSync(join(root, file.replace(/^dist(.*?)(\.d\.ts|\.js)$/, 'src$1.ts'))),
  );
  expect(stale).toEqual([]); // delete dist/ and compile
});

test('the commands run, and setup finds the addon of these sources', () => {
  expect(npm(project, 'npx', 'cleanclip', '--help')).toMatch(/^Usage: cleanclip /);
  expect(npm(project, 'npx', 'cleanclip-train', '--help')).toMatch(/^Usage: cleanclip-train /);
  expect(npm(project, 'npx', 'cleanclip', 'setup')).toMatch(/^The addon is ready, built against/);
});

/** Draws twenty pictures, trains ten steps on them and prints what comes of it. */
const program = (name: string): string => `
mkdirSync('${name}');
const colors = [[220, 40, 40], [40, 180, 60], [40, 60, 220], [230, 210, 50]];
const rows = Array.from({ length: 20 }, (_, i) => {
  const header = Buffer.from('P6 16 16 255\\n');
  const pixels = Buffer.from(Array.from({ length: 256 }, () => colors[i % 4]).flat());
  writeFileSync(\`${name}/\${i}.ppm\`, Buffer.concat([header, pixels]));
  return \`\${i}.ppm,a square of colour number \${i % 4}\`;
});
writeFileSync('${name}/pairs.csv', ['image,caption', ...rows].join('\\n'));

async function main() {
  const input = { trainData: '${name}/pairs.csv', modelName: 'tiny', name: '${name}' };
  const options = { epochs: 1, batchSize: 2, numWorkers: 0, lr: 1e-4, numWarmupSteps: 2, seed: 1 };
  const steps = new Set();
  const onProgress = (event) => {
    if (event.type === 'progress' && event.text.startsWith('epoch')) steps.add(event.done);
  };
  const { checkpoint } = await train({ ...input, ...options, onProgress });
  const clip = cc.loadClip(checkpoint).eval();
  const image = await clip.preprocess('${name}/0.ppm');
  const features = torch.noGrad(() => clip.encodeImage(image.unsqueeze(0)));
  const finite = features.isfinite().all().item();
  console.log(JSON.stringify({ steps: Math.max(...steps), shape: features.shape, finite }));
}
void main();
`;

const node = (file: string): unknown =>
  JSON.parse(
    execFileSync(process.execPath, [file], { cwd: project, encoding: 'utf8', env: environment })
      .trim()
      .split('\n')
      .at(-1) ?? '',
  );

const trained = { steps: 10, shape: [1, 128], finite: true };

test('ten steps are trained from require', () => {
  const start = "const { mkdirSync, writeFileSync } = require('node:fs');\nconst cc = require('cleanclip');\n";
  writeFileSync(join(project, 'a.js'), `${start}const { train, torch } = cc;\n${program('required')}`);
  expect(node('a.js')).toEqual(trained);
});

test('ten steps are trained from import', () => {
  const start = "import { mkdirSync, writeFileSync } from 'node:fs';\nimport cc, { train, torch } from 'cleanclip';\n";
  writeFileSync(join(project, 'b.mjs'), start + program('imported'));
  expect(node('b.mjs')).toEqual(trained);
});

test('ten steps are trained from TypeScript, compiled to CommonJS', () => {
  const start = "import { mkdirSync, writeFileSync } from 'node:fs';\nimport cc, { train, torch } from 'cleanclip';\n";
  const typed = program('typed')
    .replace('(event)', '(event: ProgressEvent)')
    .replace('new Set()', 'new Set<number>()')
    .replace('const options =', 'const options: TrainInput =');
  writeFileSync(join(project, 'c.ts'), `${start}import type { ProgressEvent, TrainInput } from 'cleanclip';\n${typed}`);
  symlinkSync(join(root, 'node_modules/@types'), join(project, 'node_modules/@types'));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const flags = ['--strict', '--module', 'node16', '--target', 'es2022', '--types', 'node', '--esModuleInterop'];
  execFileSync(process.execPath, [tsc, ...flags, 'c.ts'], { cwd: project, stdio: 'inherit' });
  expect(readFileSync(join(project, 'c.js'), 'utf8')).toContain('require("cleanclip")');
  expect(node('c.js')).toEqual(trained);
});

test('import gives every name that require gives, and all of them by default', () => {
  const script = `import cc, * as all from 'cleanclip';
    import { createRequire } from 'node:module';
    const required = createRequire(import.meta.url)('cleanclip');
    const named = Object.keys(all).filter((name) => name !== 'default' && name !== 'module.exports').sort();
    console.log(JSON.stringify({
      same: cc === required && all.train === required.train && required.default === required,
      missing: Object.keys(required).filter((name) => !named.includes(name)),
      number: named.length,
    }));`;
  writeFileSync(join(project, 'd.mjs'), script);
  expect(node('d.mjs')).toEqual({ same: true, missing: [], number: expect.any(Number) });
});
