// `node bench/download/main.mjs [ROWS] [ROUNDS]` downloads the same local URLs with cleanclip, with a plain Python
// script and with img2dataset, in turn, and writes bench/RESULTS.download.md. It makes a Python venv for them.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { caption } from '../node/inputs.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../..');
const [rows = 5000, rounds = 3] = process.argv.slice(2).map(Number);
const cores = availableParallelism();
const python = process.env.CLEANCLIP_PYTHON ?? join(root, '.cache', 'bench-download-venv', 'bin', 'python');
if (!process.env.CLEANCLIP_PYTHON) {
  const requirements = join(here, 'requirements.txt');
  must(process.execPath, [join(root, 'scripts/python_venv.mjs'), dirname(dirname(python)), requirements]);
}

const folder = mkdtempSync(join(tmpdir(), 'cleanclip-bench-'));
const server = spawn(process.execPath, [join(here, 'server.mjs'), folder], { stdio: ['ignore', 'pipe', 'inherit'] });
const port = await new Promise((done) => createInterface({ input: server.stdout }).once('line', done));

/** Writes a tsv of URLs that no side has seen before, with the header that img2dataset needs or without one. */
function table(round, header) {
  const file = join(folder, `${round}${header ? '-header' : ''}.tsv`);
  const lines = Array.from({ length: rows }, (_, i) => `${caption(i)}\thttp://127.0.0.1:${port}/${round}/${i}.jpg\n`);
  writeFileSync(file, (header ? 'caption\turl\n' : '') + lines.join(''));
  return file;
}

const ours = (format) => (file, out) =>
  must(process.execPath, [
    ...[join(root, 'bin/cleanclip.js'), 'download', '-f', file, '-d', out, '--format', format],
    ...['--allow_private', '--per_host', '64'],
  ]);
const plain = (processes) => (file, out) => must(python, [join(here, 'plain.py'), file, out, processes]);
const img2dataset = (format) => (file, out) =>
  must(python, [join(here, 'img2dataset_run.py'), file, out, format, cores], { NO_ALBUMENTATIONS_UPDATE: '1' });

const sides = [
  { name: 'cleanclip download, png', run: ours('png') },
  { name: `Python script, ${4 * cores} processes, png`, run: plain(4 * cores), against: 0 },
  { name: `img2dataset, ${cores} processes × 64 threads, png`, run: img2dataset('png'), header: true, against: 0 },
  { name: 'cleanclip download, jpg', run: ours('jpg') },
  { name: `img2dataset, ${cores} processes × 64 threads, jpg`, run: img2dataset('jpg'), header: true, against: 3 },
];
for (const side of sides) Object.assign(side, { seconds: [], cpu: [] });
for (let round = 0; round < rounds; round++) {
  for (const [i, side] of sides.entries()) {
    const file = table(round, side.header);
    const out = join(folder, `${round}-${i}`);
    const start = performance.now();
    side.cpu.push(side.run(file, out));
    side.seconds.push((performance.now() - start) / 1000);
    const images = readdirSync(out, { recursive: true }).filter((name) => /\.(png|jpg)$/.test(name)).length;
    if (images !== rows) throw new Error(`${side.name} has ${images} images of ${rows} rows.`);
    console.log(`${side.name}: ${(rows / side.seconds.at(-1)).toFixed(0)} rows/s`);
    rmSync(out, { recursive: true });
  }
}
server.kill();
rmSync(folder, { recursive: true });
report();

function report() {
  const best = ({ seconds }) => rows / Math.min(...seconds);
  const cost = ({ cpu }) => (1000 * Math.min(...cpu)) / rows;
  const lines = sides.map((side) => {
    const ours = sides[side.against];
    const ratio = ours === undefined ? '' : `${(best(ours) / best(side)).toFixed(2)}×`;
    const cpuRatio = ours === undefined ? '' : `${(cost(side) / cost(ours)).toFixed(2)}×`;
    const all = side.seconds.map((each) => (rows / each).toFixed(0)).join(', ');
    const cells = [side.name, best(side).toFixed(0), all, ratio, `${cost(side).toFixed(1)} ms`, cpuRatio];
    return `| ${cells.join(' | ')} |`;
  });
  const cpu = cpus()[0].model.trim();
  const text = `# Downloading, measured against Python

\`node bench/download/main.mjs ${rows} ${rounds}\` measures this table anew. A local server, which shares the
${cores} cores of ${cpu} with each side, serves ${rows} URLs of JPEGs of 500×375 pixels.
Each side resizes them to 224×224 (bicubic) and stores them. The sides ran in turn; the best round counts, with
the start of the program. Ratios are in favour of cleanclip. The load was ${loadavg()[0].toFixed(1)} at the end.

| side | rows per second | rounds | ratio | CPU time per row | ratio |
| --- | --- | --- | --- | --- | --- |
${lines.join('\n')}
`;
  console.log(text);
  writeFileSync(join(root, 'bench', 'RESULTS.download.md'), text);
}

/** Runs a program to its end, and returns the CPU time of it and its processes in seconds. */
function must(program, args, env = {}) {
  const timed = ['-c', 'TIMEFORMAT="%U %S"; time "$@"', '--', program, ...args.map(String)];
  const { status, stdout, stderr } = spawnSync('bash', timed, {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(`${args.join(' ')} failed: ${stdout.slice(-2000)} ${stderr.slice(-2000)}`);
  const [user, system] = stderr.trim().split('\n').at(-1).split(' ').map(Number);
  return user + system;
}
