import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';

import fc from 'fast-check';

import { StringFile, StringFileWriter } from '../../src/data/string_file';
import { temporaryFolder } from './temporary';

const written = (strings: readonly string[]): StringFileWriter => {
  const writer = new StringFileWriter();
  for (const text of strings) writer.add(text);
  return writer;
};

test('strings come back as they were, in any order', () => {
  const strings = fc.array(fc.string({ unit: 'binary', maxLength: 40 }), { maxLength: 70 });
  fc.assert(
    fc.property(strings, fc.array(fc.nat()), (list, picks) => {
      const file = new StringFile(written(list).finish());
      for (const [i, text] of list.entries()) expect(file.get(i)).toBe(text);
      for (const i of picks.map((pick) => pick % list.length).filter((i) => i >= 0)) expect(file.get(i)).toBe(list[i]);
    }),
  );
});

test('half a lone character, and strings longer than what is written at once', () => {
  const list = ['\ud83e', 'ä'.repeat(100_000), '', '🦊'.repeat(70_000), '"\\\n\0'];
  const file = new StringFile(written(list).finish());
  expect(list.map((_, i) => file.get(i))).toEqual(list);
});

test('the digest tells lists apart', () => {
  const digest = (...strings: string[]): string => written(strings).finish().digest;
  expect(digest('a', 'b')).toMatch(/^[0-9a-f]{64}$/);
  expect(digest('a', 'b')).toBe(digest('a', 'b'));
  expect(new Set([digest(), digest(''), digest('ab'), digest('a', 'b'), digest('b', 'a')]).size).toBe(5);
});

const program = (body: string): string => `
  const { StringFile, StringFileWriter } = require(${JSON.stringify(require.resolve('../../src/data/string_file'))});
  ${body}`;

test('a full disk is refused in a sentence, and a folder that is not there', () => {
  const folder = temporaryFolder();
  const run = (TMPDIR: string): string => {
    const fill = program(`
      try {
        const writer = new StringFileWriter();
        for (let i = 0; i < 1e5; i++) writer.add('text '.repeat(20));
      } catch ({ code, message }) {
        console.log(code + ': ' + message);
      }`);
    // A limit to the size of files stands for the full disk.
    return spawnSync('bash', ['-c', 'ulimit -f 1000; exec "$0" "$@"', process.execPath, '-e', fill], {
      encoding: 'utf8',
      env: { ...process.env, TMPDIR },
    }).stdout;
  };
  expect(run(folder)).toBe(
    `ERR_DATA: The text of the data cannot be written to the folder '${folder}' (EFBIG); make room there, or name ` +
      'another folder with TMPDIR.\n',
  );
  expect(readdirSync(folder)).toEqual([]);
  expect(run(`${folder}/none`)).toMatch(
    /^ERR_DATA: The text of the data cannot be written to the folder '.*\/none' \(ENOENT\)/,
  );
});

test('a process that is killed leaves nothing', async () => {
  const folder = temporaryFolder();
  const child = spawn(
    process.execPath,
    [
      '-e',
      program(
        `const writer = new StringFileWriter(); writer.add('x'); writer.finish(); console.log('ready'); ` +
          'setInterval(() => writer, 1e6);',
      ),
    ],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, TMPDIR: folder },
    },
  );
  const ended = once(child, 'close');
  await once(child.stdout, 'data');
  expect(readdirSync(folder)).toEqual([]);
  child.kill('SIGKILL');
  await ended;
  expect(readdirSync(folder)).toEqual([]);
});

test('a file is closed once nothing refers to its strings, not before', () => {
  const collect = program(`
    const { fstatSync } = require('node:fs');
    const isOpen = (fd) => { try { return fstatSync(fd).isFile(); } catch { return false; } };
    const pause = () => new Promise((resolve) => setTimeout(resolve, 1));
    const turn = () => pause().then(gc).then(pause);
    const make = () => { const writer = new StringFileWriter(); writer.add('kept'); return writer.finish(); };
    (async () => {
      const unfinished = new StringFileWriter().shared.fd;
      const dropped = make().fd;
      let shared = make();
      const { fd } = shared;
      const file = new StringFile(shared);
      shared = undefined;
      for (let i = 0; i < 100 && (isOpen(dropped) || isOpen(unfinished)); i++) await turn();
      console.log(isOpen(unfinished), isOpen(dropped), isOpen(fd), file.get(0));
    })();`);
  const { stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', '-e', collect], { encoding: 'utf8' });
  expect({ stdout, stderr }).toEqual({ stdout: 'false false true kept\n', stderr: '' });
});
