// Mutated tars and parquet files, read in this process: node test/fuzz/shards.js [--seed N] [--count M] [--first K]
// Counts what is read and refused; an error without our code, a message with control characters, a place outside the
// file or a reading of over --slow ms ends it with code 1.
const { mkdtempSync, rmSync, statSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { performance } = require('node:perf_hooks');
const { parseArgs } = require('node:util');
const { draws } = require('./draws');
const { mutate } = require('./mutations.js');
const seeds = require('./shards_seeds.json');
const { badRowWarnings, readPairs } = require('../../dist/data/pairs.js');
const { ParquetReader, parquetThreads } = require('../../dist/data/parquet_reader.js');
const { writeTar } = require('../../dist/data/shard_writer.js');
const { CleanclipError } = require('../../dist/errors.js');
const { decodeImage } = require('../../dist/images/image.js');
const { parseMember } = require('../../dist/images/members.js');

const BLOCK = 512;
const SECONDS = 2; // after which a reading is broken off
const plain = /^[^\p{Cc}\u2028\u2029]{10,5000}$/u;

/** Gives every block of a mutated tar that had a checksum a right one, so that its fields are read. */
function withSums(bytes, before) {
  for (let at = 0; at + BLOCK <= Math.min(bytes.length, before.length); at += BLOCK) {
    const field = before.toString('latin1', at + 148, at + 156);
    if (!/^[0-7]{6}/.test(field)) continue;
    bytes.write('        ', at + 148, 'latin1');
    const sum = bytes.subarray(at, at + BLOCK).reduce((total, byte) => total + byte, 0);
    bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1');
  }
  return bytes;
}

async function tarSeed(folder) {
  const file = join(folder, 'seed.tar');
  const png = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC',
    'base64',
  );
  await writeTar(file, [
    { path: 'a/1.png', content: png },
    { path: 'a/1.txt', content: 'a caption' },
    { path: `${'d'.repeat(160)}/2.png`, content: png },
    { path: `${'d'.repeat(160)}/2.json`, content: JSON.stringify({ caption: ['b', 'ü'], is_backdoor: true }) },
    { path: '3.png', content: png },
    { path: '3.txt', content: 'x'.repeat(700) },
  ]);
  return require('node:fs').readFileSync(file);
}

async function readTar(path) {
  const table = await readPairs(path);
  for (const text of badRowWarnings(table.badRows, 'x')) if (!plain.test(text)) throw new Error(`Warning ${text}`);
  for (let row = 0; row < Math.min(table.length, 5); row++) {
    table.captions(row);
    await decodeMember(table.image(row), path);
  }
}

async function decodeMember(address, path) {
  const { offset, bytes } = parseMember(address);
  if (offset + bytes > statSync(path).size) throw new Error(`A place beyond the end: ${address}`);
  try {
    (await decodeImage(address)).dispose();
  } catch (error) {
    if (!(error instanceof CleanclipError && plain.test(error.message))) throw error;
  }
}

let threads = parquetThreads();

async function readParquet(path) {
  const reader = new ParquetReader(path, threads, SECONDS);
  try {
    const { rows, columns } = await reader.describe();
    for (const { largest } of columns) if (largest > 2 ** 30) return;
    if (rows.length > 4) return;
    for (const content of [false, true]) {
      for await (const { value } of reader.rows({ image: 'image', caption: 'caption', content })) {
        const place = value?.image.place;
        if (place && place.offset + place.bytes > statSync(path).size) throw new Error('A place beyond the end.');
      }
    }
  } catch (error) {
    if (/was not read within/.test(error.message)) threads = parquetThreads();
    throw error;
  }
}

/** What happens to one case: 'read', 'refused', 'broken off', or a fault in words. */
async function runCase(folder, tar, seed, number, slow) {
  const draw = draws(seed, number);
  const name = draw.chance(0.5) ? 'tar' : draw.pick(Object.keys(seeds));
  const content = name === 'tar' ? tar : Buffer.from(seeds[name], 'base64');
  const { bytes, did } = mutate(Buffer.from(content), draw, { others: [tar] });
  const path = join(folder, `${number}.${name === 'tar' ? 'tar' : 'parquet'}`);
  writeFileSync(path, name === 'tar' && draw.chance(0.8) ? withSums(Buffer.from(bytes), content) : bytes);
  const start = performance.now();
  const fault = (what) => `case ${number}, ${name} (${did.join(', ')}): ${what}`;
  try {
    await (name === 'tar' ? readTar : readParquet)(path);
    return 'read';
  } catch (error) {
    if (/was not read within/.test(error.message)) return 'broken off';
    if (error instanceof CleanclipError && plain.test(error.message)) return 'refused';
    return fault(error instanceof CleanclipError ? JSON.stringify(error.message) : String(error?.stack ?? error));
  } finally {
    const took = performance.now() - start;
    rmSync(path, { force: true });
    if (took > slow) {
      console.log(fault(`took ${Math.round(took)} ms`));
      process.exitCode = 1;
    }
  }
}

async function main() {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      count: { type: 'string', default: '2000' },
      first: { type: 'string', default: '0' },
      slow: { type: 'string', default: '5000' },
    },
  });
  const [seed, count, first, slow] = [values.seed, values.count, values.first, values.slow].map(Number);
  const folder = mkdtempSync(join(tmpdir(), 'cleanclip-shards-'));
  const counts = { read: 0, refused: 0, 'broken off': 0 };
  let faults = 0;
  try {
    const tar = await tarSeed(folder);
    for (let number = first; number < first + count; number++) {
      const outcome = await runCase(folder, tar, seed, number, slow);
      if (outcome in counts) counts[outcome]++;
      else if (++faults <= 20) console.log(outcome);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  await threads.close();
  console.log(JSON.stringify({ seed, count, ...counts, faults }));
  if (faults > 0) process.exitCode = 1;
}

void main();
