import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

import sharp from 'sharp';

import { download } from '../../src';
import { command, type Running } from '../support/command';
import { type ImageServer, serveImages } from './server';

let folder: string;
let server: ImageServer;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'download-'));
  server = await serveImages();
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

let next = 0;
/** Writes a tsv, and names a folder for its images. */
function input(lines: string[]): { file: string; dir: string } {
  const name = join(folder, String(next++));
  writeFileSync(`${name}.tsv`, lines.map((line) => `${line}\n`).join(''));
  return { file: `${name}.tsv`, dir: name };
}

const run = ({ file, dir }: { file: string; dir: string }, ...more: string[]): Running =>
  command('cleanclip', ['download', '-f', file, '-d', dir, ...more], folder);

/** Reads the fields of a csv without line feeds in its fields. */
const csv = (file: string): string[][] =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => {
      const fields = [...`${line},`.matchAll(/("(?:[^"]|"")*"|[^,]*),/g)];
      return fields.map(([, field]) => field.replace(/^"|"$/g, '').replaceAll('""', '"'));
    });

const statuses = (dir: string): Map<string, { status: string; error: string; bytes: string; size: string }> =>
  new Map(
    csv(join(dir, 'status.csv'))
      .slice(1)
      .map(([, url, status, error, bytes, width, height]) => [
        url.replace(/^.*:\d+\//, ''),
        { status, error, bytes, size: `${width}x${height}` },
      ]),
  );

test('every answer of a server becomes an image or the reason why there is none', async () => {
  const names = [
    'i/1', '404', '429', '500', '503', 'redirect', 'circle', 'endless', 'file', 'truncated', 'half', 'short', 'gzip',
    'zipbomb', 'chunked', 'page.jpg', 'drawing.svg', 'giant.png', 'large', 'announced', 'empty',
  ]; // prettier-ignore
  const paths = input(names.map((name) => `a caption of ${name}\t${server.url}/${name}`));
  const { code, stdout, stderr } = await run(paths, '--allow_private', '--timeout', '60', '--per_host', '16').ended;
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^6 of 21 rows have an image; the set is .*train\.csv$/m);
  const found = statuses(paths.dir);
  const errorOf = (name: string): string => `${found.get(name)?.status} ${found.get(name)?.error}`;
  for (const name of ['i/1', '429', '500', 'redirect', 'gzip', 'chunked'])
    expect({ name, ...found.get(name) }).toMatchObject({ name, status: '200', error: '', size: '60x40' });
  expect(errorOf('404')).toBe('404 the server answered 404');
  expect(errorOf('503')).toBe('503 the server answered 503');
  expect(errorOf('circle')).toBe('301 its redirects go in a circle');
  expect(errorOf('endless')).toBe('302 it redirects more than 5 times');
  expect(errorOf('file')).toBe('302 it redirects to file:');
  expect(errorOf('half')).toBe('200 it ends before its content does');
  expect(errorOf('page.jpg')).toMatch(/^200 its first bytes are those of a page or other text, not a picture$/);
  expect(errorOf('drawing.svg')).toMatch(/an SVG/);
  expect(errorOf('giant.png')).toMatch(/^200 it has 10000 × 10000 pixels, more than the 89478485/);
  for (const name of ['large', 'announced', 'zipbomb'])
    expect(errorOf(name)).toBe('200 it has more than the 20000000 bytes of --max_bytes');
  for (const name of ['truncated', 'short', 'empty']) expect(errorOf(name)).toMatch(/\w{5}/);
  const tries = (name: string): number => server.asked.get(`/${name}`)!;
  expect([tries('404'), tries('429'), tries('500'), tries('503'), tries('truncated')]).toEqual([1, 2, 2, 3, 3]);
  const [first, second] = server.times.get('/429')!;
  expect(second - first).toBeGreaterThan(990);

  const pairs = csv(join(paths.dir, 'train.csv'));
  expect(pairs[0]).toEqual(['image', 'caption']);
  expect(pairs.slice(1).map(([, caption]) => caption)).toEqual(
    ['i/1', '429', '500', 'redirect', 'gzip', 'chunked'].map((name) => `a caption of ${name}`),
  );
  for (const [image] of pairs.slice(1)) {
    expect(image).toMatch(/^images\/[0-9a-f]{32}\.png$/);
    const { width, height, format } = await sharp(join(paths.dir, image)).metadata();
    expect([width, height, format]).toEqual([224, 224, 'png']);
  }
  expect(readdirSync(join(paths.dir, 'images'))).toHaveLength(6);
}, 60_000);

test('a connection that never ends is given up after the timeout, and not tried again', async () => {
  const paths = input(['never', 'silent'].map((name) => `x\t${server.url}/${name}`));
  expect(await download({ ...paths, allowPrivate: true, timeout: 2 })).toMatchObject({ images: 0, failed: 2 });
  for (const name of ['never', 'silent']) {
    expect(statuses(paths.dir).get(name)!.error).toBe('it did not answer in full within 2 s');
    expect(server.asked.get(`/${name}`)).toBe(1);
  }
});

test('rows with quotes, commas, tabs, unicode and duplicates keep their captions', async () => {
  const paths = input([
    `a "red", small\tcar\t${server.url}/i/1`, // a tab without quotes is one field too many
    `"a tab\there and a ""quote"""\t${server.url}/i/2`,
    `"Hello", he said\t${server.url}/i/3`,
    `"never closed\t${server.url}/i/4`,
    `ein größeres Bild\t${server.url}/i/5/größe ☕.jpg`,
    '',
    `again\t${server.url}/i/2`,
    'no url\t-',
    `again, and again\t${server.url}/i/2`,
    `missing\t${server.url}/404?duplicates`,
    `missing too\t${server.url}/404?duplicates`,
  ]);
  const { code, stdout } = await run(paths, '--allow_private', '--format', 'jpg', '--size', '32').ended;
  expect(code).toBe(0);
  expect(stdout).toMatch(/^6 of 10 rows have an image/m);
  const pairs = csv(join(paths.dir, 'train.csv')).slice(1);
  expect(pairs.map(([, caption]) => caption)).toEqual([
    'a tab\there and a "quote"',
    '"Hello", he said',
    '"never closed',
    'ein größeres Bild',
    'again',
    'again, and again',
  ]);
  expect(new Set([0, 4, 5].map((i) => pairs[i][0])).size).toBe(1);
  expect(server.asked.get('/i/2')).toBe(1);
  expect(server.asked.get('/404?duplicates')).toBe(1);
  expect(server.asked.get(`/i/5/${encodeURIComponent('größe ☕.jpg')}`)).toBe(1);
  const rows = csv(join(paths.dir, 'status.csv')).slice(1);
  expect(rows.map(([row]) => row)).toEqual(Array.from({ length: 10 }, (_, i) => String(i)));
  expect(rows[0][3]).toBe('the row has 3 fields where the file has 2');
  expect(rows[6][3]).toMatch(/^'-' is no URL of http or https$/);
  expect(rows[8][3]).toBe('the server answered 404');
});

test('CC12M has the URL first; --start and --end add rows to the same folder', async () => {
  const paths = input([0, 1, 2, 3].map((i) => `${server.url}/i/12${i}\tcaption ${i}`));
  await run(paths, '--allow_private', '-s', '1', '-e', '3').ended;
  const captions = (): string[] =>
    csv(join(paths.dir, 'train.csv'))
      .slice(1)
      .map(([, caption]) => caption);
  expect(captions()).toEqual(['caption 1', 'caption 2']);
  const { rows, images, asked } = await download({ ...paths, allowPrivate: true, end: 2 });
  expect({ rows, images, asked }).toEqual({ rows: 2, images: 2, asked: 1 });
  expect(captions()).toEqual(['caption 0', 'caption 1', 'caption 2']);
});

test('a header is recognised; --compat reference names images by CRC32; original keeps the bytes', async () => {
  const url = `${server.url}/i/42`;
  const paths = input(['TEXT\tURL', `a cat\t${url}`]);
  const { trainData: file } = await download({ ...paths, allowPrivate: true, compat: 'reference', format: 'original' });
  const name = `images/${crc32(url)}.jpg`;
  expect(csv(file)).toEqual([
    ['image', 'caption'],
    [name, 'a cat'],
  ]);
  expect(await sharp(join(paths.dir, name)).metadata()).toMatchObject({ width: 60, height: 40 });
  await expect(download({ ...paths, allowPrivate: true })).rejects.toThrow(/holds a download of other settings/);
});

test('failed rows are asked for again with --retry_failed only', async () => {
  const paths = input([`a\t${server.url}/i/1?a`, `b\t${server.url}/404?again`]);
  const options = { ...paths, allowPrivate: true };
  expect(await download(options)).toMatchObject({ images: 1, failed: 1, asked: 2 });
  expect(await download(options)).toMatchObject({ images: 1, failed: 1, asked: 0 });
  expect(await download({ ...options, retryFailed: true })).toMatchObject({ images: 1, failed: 1, asked: 1 });
  expect([server.asked.get('/i/1?a'), server.asked.get('/404?again')]).toEqual([1, 2]);
  expect(csv(join(paths.dir, 'status.csv'))).toHaveLength(3);
});

test('private addresses are refused without --allow_private', async () => {
  const hosts = ['127.0.0.1', 'localhost', '[::1]', '[::ffff:10.0.0.1]', '2130706433', '169.254.169.254', '0x7f.1'];
  const paths = input(hosts.map((host) => `x\thttp://${host}:${new URL(server.url).port}/i/private`));
  expect(await download({ ...paths, retries: 0, timeout: 5 })).toMatchObject({ images: 0, failed: hosts.length });
  for (const [, , status, error] of csv(join(paths.dir, 'status.csv')).slice(1)) {
    expect(status).toBe('');
    expect(error).toMatch(/^its address \S+ is not public, which --allow_private allows$/);
  }
  expect(server.asked.has('/i/private')).toBe(false);
});

test('killed at random and continued, no row is lost or asked for twice', async () => {
  const slow = await serveImages({ delay: 30 });
  const count = 120;
  const paths = input(Array.from({ length: count }, (_, i) => `caption ${i}\t${slow.url}/i/${i}`));
  const images = join(paths.dir, 'images');
  const there = (): string[] => (existsSync(images) ? readdirSync(images) : []);
  for (const after of [3, 40, 77]) {
    const { child, ended } = run(paths, '--allow_private', '--workers', '4');
    while (there().length < after && child.exitCode === null) await new Promise((done) => setTimeout(done, 5));
    child.kill('SIGKILL');
    await ended;
    for (const name of there()) expect((await sharp(join(images, name)).stats()).channels).toHaveLength(3);
  }
  const asked = (): number => [...slow.asked.values()].reduce((sum, n) => sum + n, 0);
  const before = asked();
  const has = there().length;
  expect(has).toBeGreaterThan(76);
  const { code } = await run(paths, '--allow_private').ended;
  expect(code).toBe(0);
  expect(asked() - before).toBe(count - has);
  const pairs = csv(join(paths.dir, 'train.csv')).slice(1);
  expect(pairs.map(([, caption]) => caption)).toEqual(Array.from({ length: count }, (_, i) => `caption ${i}`));
  expect(there().sort()).toEqual(pairs.map(([image]) => image.slice(7)).sort());
  expect(readdirSync(join(paths.dir, '.download'))).toEqual(['journal']);
  await slow.close();
}, 60_000);

test('Ctrl-C stops it, and the same command goes on', async () => {
  const slow = await serveImages({ delay: 100 });
  const paths = input(Array.from({ length: 60 }, (_, i) => `caption ${i}\t${slow.url}/i/${i}`));
  const { child, ended } = run(paths, '--allow_private');
  while (slow.asked.size < 8) await new Promise((done) => setTimeout(done, 5));
  child.kill('SIGINT');
  const { code, stderr } = await ended;
  expect(code).toBe(130);
  expect(stderr).toMatch(/The download was stopped; run the same command again to go on\./);
  expect(existsSync(join(paths.dir, 'train.csv'))).toBe(false);
  expect(await download({ ...paths, allowPrivate: true, perHost: 64 })).toMatchObject({ rows: 60, images: 60 });
  await slow.close();
});

test.each([
  [['--end', '0'], /--end is 0 and --start 0: expected an --end above --start/],
  [['--columns', 'text,url'], /--columns must name the columns of the file in their order, caption and url among them/],
  [['--max_bytes', 'many'], /--max_bytes must be an integer of at least 1, but is 'many'/],
  [['--delimiter', ',,'], /--delimiter must be one character/],
])('refuses %p with one sentence, and writes nothing', async (flags, message) => {
  const paths = input([`x\t${server.url}/i/1`]);
  const { code, stderr } = await run(paths, ...flags).ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(message);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(existsSync(paths.dir)).toBe(false);
});
