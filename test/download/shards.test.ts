import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { download, type PairTable, readPairs } from '../../src';
import { decodeImage } from '../../src/images/image';
import { command } from '../support/command';
import { type ImageServer, serveImages } from './server';

let folder: string;
let server: ImageServer;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'download-shards-'));
  server = await serveImages();
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

let next = 0;
/** Writes a tsv of captions and paths on the server, and names a folder for its images. */
function input(paths: string[], { url } = server): { file: string; dir: string; allowPrivate: boolean } {
  const name = join(folder, String(next++));
  writeFileSync(`${name}.tsv`, paths.map((path, i) => `caption ${i}\t${url}/${path}\n`).join(''));
  return { file: `${name}.tsv`, dir: name, allowPrivate: true };
}

const filesOf = ({ dir }: { dir: string }): string[] =>
  existsSync(join(dir, 'shards')) ? readdirSync(join(dir, 'shards')) : [];
const captions = (pairs: PairTable): string[] => Array.from({ length: pairs.length }, (_, i) => pairs.caption(i));
const askedIn = (asked: Map<string, number>): number => [...asked.values()].reduce((sum, n) => sum + n, 0);

/** The numbers of the rows in the tars, by their captions, after a check that no row has been left out. */
async function rowsIn({ dir }: { dir: string }): Promise<number[]> {
  const pairs = await readPairs(join(dir, 'shards', '*.tar'));
  expect(pairs.badRows.count).toBe(0);
  return captions(pairs).map((caption) => Number(/\d+/.exec(caption)![0]));
}

test('shards hold the pairs of train.csv, with the same pixels, in the same order', async () => {
  const paths = ['i/1', 'i/2', '404?s', 'i/3', 'i/1', 'page.jpg', 'i/4', 'i/5'];
  const asFiles = await download({ ...input(paths), size: 32 });
  const shards = input(paths);
  const result = await download({ ...shards, size: 32, shards: 3 });
  expect(result).toMatchObject({ trainData: join(shards.dir, 'shards', '*.tar'), rows: 8, images: 6, failed: 2 });
  expect(filesOf(shards)).toEqual(['00000.tar', '00001.tar', '00002.tar']);
  expect(readdirSync(shards.dir).sort()).toEqual(['.download', 'shards', 'status.csv']);
  expect(readdirSync(join(shards.dir, '.download'))).toEqual(['journal']);
  expect(readFileSync(result.status, 'utf8')).toBe(readFileSync(asFiles.status, 'utf8'));

  const [fromFiles, fromShards] = [await readPairs(asFiles.trainData), await readPairs(result.trainData)];
  expect(captions(fromShards)).toEqual(captions(fromFiles));
  for (let i = 0; i < fromFiles.length; i++) {
    const [a, b] = [await decodeImage(fromFiles.image(i)), await decodeImage(fromShards.image(i))];
    expect(a.equal(b)).toBe(true);
  }
});

test('a shard that a range or a failure has left short is completed by later runs', async () => {
  const set = input(['i/1?a', 'i/2?a', '404?b', 'i/4?a', 'i/5?a', 'i/4?a', 'i/7?a', '404?b']);
  const of = (more: object): ReturnType<typeof download> => download({ ...set, shards: 4, size: 16, ...more });
  expect(await of({ end: 5 })).toMatchObject({ images: 4, failed: 1, asked: 5 });
  expect(await rowsIn(set)).toEqual([0, 1, 3, 4]);
  // Row 5 has the URL of row 3, whose image lies in another shard, so it is asked for once more.
  expect(await of({})).toMatchObject({ images: 6, failed: 2, asked: 3 });
  expect(await rowsIn(set)).toEqual([0, 1, 3, 4, 5, 6]);
  const before = readFileSync(join(set.dir, 'shards', '00000.tar'));
  expect(await of({ retryFailed: true })).toMatchObject({ images: 6, failed: 2, asked: 2 });
  expect(readFileSync(join(set.dir, 'shards', '00000.tar'))).toEqual(before);
  unlinkSync(join(set.dir, 'shards', '00001.tar'));
  expect(await of({})).toMatchObject({ images: 6, failed: 2, asked: 3 });
  expect(await rowsIn(set)).toEqual([0, 1, 3, 4, 5, 6]);
});

test('a row is added to a shard that has its image by another row, and is not asked for', async () => {
  const set = input(['i/1?same', 'i/2?same', 'i/1?same', 'i/2?same']);
  expect(await download({ ...set, shards: 8, end: 2 })).toMatchObject({ images: 2, asked: 2 });
  expect(await download({ ...set, shards: 8 })).toMatchObject({ images: 4, asked: 0 });
  expect(await rowsIn(set)).toEqual([0, 1, 2, 3]);
});

test('rows keep their own images when the tsv gets or loses a line', async () => {
  const set = input(['i/1', 'i/2', 'i/3', 'i/4', 'i/5']);
  const of = { ...set, shards: 10, size: 16, format: 'png' } as const;
  const colours = async (): Promise<Record<string, unknown>> => {
    const pairs = await readPairs(join(set.dir, 'shards', '*.tar'));
    const colour = async (i: number): Promise<unknown> => (await decodeImage(pairs.image(i))).select(1, 0).toArray();
    return Object.fromEntries(await Promise.all(captions(pairs).map(async (text, i) => [text, await colour(i)])));
  };
  expect(await download(of)).toMatchObject({ images: 5, asked: 5 });
  const before = await colours();
  const lines = readFileSync(set.file, 'utf8').split('\n');
  writeFileSync(set.file, lines.slice(1).join('\n'));
  expect(await download(of)).toMatchObject({ rows: 4, images: 4, asked: 0 });
  const { 'caption 0': first, ...others } = before;
  expect(await colours()).toEqual(others);
  expect(first).toBeDefined();
  writeFileSync(set.file, [lines[3], ...lines].join('\n'));
  expect(await download(of)).toMatchObject({ rows: 6, images: 6 });
  expect(await colours()).toEqual(before);
});

test('a row whose image was not stored when the process died is asked for again', async () => {
  const set = input(['i/1?d', 'i/2?d', 'i/3?d']);
  expect(await download({ ...set, shards: 4, end: 2 })).toMatchObject({ images: 2, asked: 2 });
  // What a process leaves that is killed after the journal has the row, and before its image has its name.
  const journal = join(set.dir, '.download', 'journal');
  const [, , last] = readFileSync(journal, 'utf8').split('\n');
  const url = new URL(`${server.url}/i/3?d`).href;
  const name = createHash('sha256').update(url).digest('hex').slice(0, 32);
  const outcome = JSON.parse(last) as unknown[];
  const torn = [2, `00000.tar/${name}`, `00000.tar/${name}.png`, ...outcome.slice(3)];
  writeFileSync(journal, `${JSON.stringify(torn)}\n`, { flag: 'a' });
  mkdirSync(join(set.dir, '.download', 'images', '00000.tar'), { recursive: true });
  expect(await download({ ...set, shards: 4 })).toMatchObject({ rows: 3, images: 2, failed: 1, asked: 0 });
  expect(await rowsIn(set)).toEqual([0, 1]);
  expect(readFileSync(join(set.dir, 'status.csv'), 'utf8')).toMatch(/^2,.*its image is gone; the next run asks again/m);
  expect(await download({ ...set, shards: 4 })).toMatchObject({ rows: 3, images: 3, failed: 0, asked: 1 });
  expect(await rowsIn(set)).toEqual([0, 1, 2]);
});

test('Ctrl-C stops it while shards are written, and the same command goes on', async () => {
  const slow = await serveImages({ delay: 100 });
  const set = input(
    Array.from({ length: 60 }, (_, i) => `i/${i}`),
    slow,
  );
  const flags = ['--allow_private', '--shards', '4', '--size', '16'];
  const { child, ended } = command('cleanclip', ['download', '-f', set.file, '-d', set.dir, ...flags], folder);
  while (slow.asked.size < 20) await new Promise((done) => setTimeout(done, 5));
  child.kill('SIGINT');
  expect(await ended).toMatchObject({ code: 130, stderr: expect.stringMatching(/run the same command again/) });
  expect(await download({ ...set, shards: 4, size: 16, perHost: 64 })).toMatchObject({ rows: 60, images: 60 });
  expect(await rowsIn(set)).toEqual(Array.from({ length: 60 }, (_, i) => i));
  await slow.close();
});

test('a failed row that answers later is put in its place', async () => {
  const flaky = await serveImages({ delay: 1 });
  const set = input(['i/1', 'i/2', 'i/3'], flaky);
  writeFileSync(set.file, readFileSync(set.file, 'utf8').replace('i/2', '500'));
  expect(await download({ ...set, shards: 2, retries: 0 })).toMatchObject({ images: 2, failed: 1 });
  expect(await rowsIn(set)).toEqual([0, 2]);
  expect(await download({ ...set, shards: 2, retryFailed: true })).toMatchObject({ images: 3, failed: 0, asked: 1 });
  expect(await rowsIn(set)).toEqual([0, 1, 2]);
  await flaky.close();
});

test('killed at random and continued, no row is lost or asked for twice, and every tar is whole', async () => {
  const slow = await serveImages({ delay: 20 });
  const count = 100;
  const set = input(
    Array.from({ length: count }, (_, i) => `i/${i}`),
    slow,
  );
  const flags = ['--allow_private', '--workers', '4', '--shards', '9', '--size', '16'];
  const run = () => command('cleanclip', ['download', '-f', set.file, '-d', set.dir, ...flags], folder);
  const tars = (): string[] => filesOf(set).filter((name) => /^\d{5}\.tar$/.test(name));
  for (const after of [1, 4, 8]) {
    const { child, ended } = run();
    while (tars().length < after && child.exitCode === null) await new Promise((done) => setTimeout(done, 3));
    child.kill('SIGKILL');
    await ended;
    const rows = await rowsIn(set);
    expect(rows).toEqual(rows.map((_, i) => i));
  }
  const { code, stdout } = await run().ended;
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringMatching(/^100 of 100 rows have an image/) });
  expect(await rowsIn(set)).toEqual(Array.from({ length: count }, (_, i) => i));
  // A request that was under way when the process was killed is asked again: at most 4 at a time, three times.
  expect(askedIn(slow.asked)).toBeLessThanOrEqual(count + 12);
  expect(readdirSync(join(set.dir, '.download'))).toEqual(['journal']);
  expect(tars()).toHaveLength(12);
  expect(filesOf(set)).toEqual(tars());
  await slow.close();
}, 60_000);

test('a folder holds shards of one size or images; the names of the script are refused', async () => {
  const set = input(['i/1']);
  await download({ ...set, shards: 2 });
  for (const shards of [3, undefined])
    await expect(download({ ...set, shards })).rejects.toThrow(/holds a download of other settings/);
  await expect(download({ ...set, shards: 2, compat: 'reference' })).rejects.toThrow(
    /--compat reference names the files of images, and --shards has none/,
  );
});
