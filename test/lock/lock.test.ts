import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

import { lock } from '../../src/lock';
import { hasEnded, ownHolder } from '../../src/lock/holder';
import { addon } from '../../src/torch/addon';
import { until } from '../support/command';

let folder: string;
let children: ChildProcess[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cleanclip-lock-'));
  children = [];
});
afterEach(() => {
  children.forEach((child) => child.kill('SIGKILL'));
  rmSync(folder, { recursive: true, force: true });
});

const refusal = (holder: string): Error => new Error(`held by ${holder}`);

/** A process that takes the lock when it is told to: what it has printed. */
async function ready(file: string, kind: string): Promise<{ child: ChildProcess; said: string[] }> {
  const child = spawn(process.execPath, [join(__dirname, '../support/lock_holder.js'), file, kind], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  const said: string[] = [];
  child.stdout.on('data', (chunk: Buffer) => said.push(...chunk.toString().split('\n').filter(Boolean)));
  await until(() => said.length > 0);
  return { child, said };
}

async function ended(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await until(() => child.signalCode !== null);
}

describe.each(['system', 'file'])('a lock of the %s', (kind) => {
  const take = (file: string) =>
    lock(file, { refusal, flock: kind === 'system' ? (fd) => addon().lockFile(fd) : undefined });

  test('is for one process, which the refusal names; it is free once that is killed', async () => {
    const file = join(folder, 'logs', 'a', '.lock');
    const { child, said } = await ready(file, kind);
    child.stdin!.write('take\n');
    await until(() => said.includes('taken'));
    expect(() => take(file)).toThrow(`held by process ${child.pid} on host ${hostname()} since 20`);
    await ended(child);
    expect(existsSync(file)).toBe(true);
    take(file).release();
    expect(readdirSync(join(folder, 'logs', 'a'))).toEqual([]);
  });

  test('is for one holder within a process, and leaves nothing when it is released', () => {
    const file = join(folder, 'logs', 'a', '.lock');
    const held = take(file);
    expect(() => take(file)).toThrow(`held by process ${process.pid} on host`);
    held.release();
    held.release();
    expect(readdirSync(folder)).toEqual([]);
    take(file).release();
  });

  test('goes to one of many that reach for it when its process was killed', async () => {
    const file = join(folder, '.lock');
    const first = await ready(file, kind);
    first.child.stdin!.write('take\n');
    await until(() => first.said.includes('taken'));
    await ended(first.child);
    const others = await Promise.all(Array.from({ length: 4 }, () => ready(file, kind)));
    others.forEach(({ child }) => child.stdin!.write('take\n'));
    await until(() => others.every(({ said }) => said.length === 2));
    const answers = others.map(({ said }) => said[1]).sort();
    expect(answers.filter((answer) => answer === 'taken')).toHaveLength(1);
    expect(answers.filter((answer) => answer.startsWith('held by '))).toHaveLength(3);
  });

  test('tells that a file is where its folder shall be', () => {
    writeFileSync(join(folder, 'logs'), '');
    expect(() => take(join(folder, 'logs', 'a', '.lock'))).toThrow(
      expect.objectContaining({
        code: 'ERR_DATA',
        message:
          `'${join(folder, 'logs', 'a')}' must be a folder, but '${join(folder, 'logs')}' is a file; move it ` +
          'away, or choose another folder.',
      }),
    );
  });
});

test('a file that does not say whose lock it is stays, and the refusal says what to do', () => {
  const file = join(folder, '.lock');
  writeFileSync(file, '{"pid":0}');
  expect(() => lock(file, { refusal })).toThrow(
    `held by another process, as '${file}' says (delete that file if the process has ended)`,
  );
  expect(existsSync(file)).toBe(true);
});

test('a folder in the place of the lock is a sentence', () => {
  mkdirSync(join(folder, '.lock'));
  expect(() => lock(join(folder, '.lock'), { refusal, flock: (fd) => addon().lockFile(fd) })).toThrow(
    expect.objectContaining({
      code: 'ERR_DATA',
      message: expect.stringMatching(/^'.*\.lock' cannot be written: .*EISDIR/),
    }),
  );
});

test('whether a process has ended is told of this host and its disks, and of no other', () => {
  const own = ownHolder();
  expect(hasEnded(own, true)).toBe(false);
  expect(hasEnded({ ...own, start: '1' }, true)).toBe(true); // another process had the id before
  expect(hasEnded({ ...own, pid: 2 ** 22 + 1 }, true)).toBe(true);
  expect(hasEnded({ ...own, namespace: 'pid:[1]' }, false)).toBeUndefined(); // of another container
  expect(hasEnded({ ...own, boot: 'before' }, false)).toBe(true); // the machine was started anew
  expect(hasEnded({ ...own, boot: 'other', host: 'other' }, true)).toBeUndefined();
});
