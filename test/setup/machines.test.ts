import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs, { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { writeRefusal } from '../../src/write_refusal';
import { joined } from '../support/patterns';
import { copyPackage, fakeLibtorch, node, pathWith, put, temporaryFolder } from './fixtures';

const folder = temporaryFolder();
chmodSync(folder, 0o755);
const copy = copyPackage(join(folder, 'package'));
const libtorch = fakeLibtorch(join(folder, 'libtorch'));
const release = join(copy, 'build', 'Release');
const dist = join(copy, 'dist');
const cleanclip = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  node([join(copy, 'bin', 'cleanclip.js'), ...args], { LIBTORCH: libtorch, ...env });
const load =
  `try { require('${join(dist, 'setup/load.js')}').loadAddon(); console.log('loaded'); } catch (error) { ` +
  'console.log(error.code, error.message); }';

afterEach(() => jest.restoreAllMocks());

test.each(['', '{"libtorch": {"root": "/x", "ver', '{}', 'null', '{"libtorch": {"root": 5}}', '[1]'])(
  'a record of %p counts as none',
  (text) => {
    put(join(release, 'cleanclip.node'), 'not a library');
    put(join(release, 'cleanclip.json'), text);
    expect(node(['-e', load], {}).stdout).toMatch(
      /^ERR_NATIVE The addon \S+ cannot be loaded: .* Run "npx cleanclip setup --force"/,
    );
    const record = `console.log(require('${join(dist, 'setup/record.js')}').readRecord())`;
    expect(node(['-e', record], {})).toMatchObject({ stdout: 'null\n', stderr: '' });
  },
);

test('a setup is refused while another compiles, and goes on when that one was killed', async () => {
  const hold = `
    const { lock } = require('${join(copy, 'dist/lock')}');
    lock('${join(copy, 'build', '.setup.lock')}', { refusal: (holder) => new Error(holder) });
    console.log('held');
    setInterval(() => {}, 1000);`;
  const holder: ChildProcess = spawn(process.execPath, ['-e', hold], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(holder.stdout!, 'data');
  const refused = cleanclip(['setup']);
  expect([refused.status, refused.stderr]).toEqual([
    1,
    expect.stringMatching(
      new RegExp(
        `^cleanclip: The addon is being compiled in ${join(copy, 'build')} by process ${holder.pid} .*; wait ` +
          'until that is done, and run this again\\.\n$',
      ),
    ),
  ]);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const bin = pathWith(join(folder, 'bin'), ['g++', 'ninja']);
  // compiles nothing, at once
  put(join(bin, 'cmake'), '#!/bin/sh\n[ "$1" = --version ] && echo "cmake version 3.25.1" && exit 0\nexit 1\n', 0o755);
  expect(cleanclip(['setup'], { PATH: bin }).stderr).toContain('The addon could not be compiled against libtorch');
  expect(existsSync(join(copy, 'build', '.setup.lock'))).toBe(false);
});

test('a package that another user has installed', () => {
  const build = join(folder, 'of-another-user');
  mkdirSync(build, { mode: 0o555 });
  const user = process.getuid!() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const setup = spawnSync(process.execPath, [join(copy, 'bin', 'cleanclip.js'), 'setup'], {
    ...user,
    encoding: 'utf8',
    env: { ...process.env, LIBTORCH: libtorch, CLEANCLIP_BUILD: build },
  });
  expect([setup.status, setup.stderr]).toEqual([
    1,
    `cleanclip: The addon cannot be compiled in ${build}: permission denied (EACCES). ` +
      'Run this as the user who installed the package, or set CLEANCLIP_BUILD to a folder that can be written.\n',
  ]);
});

test('a user without a home folder, a name or an environment', () => {
  const user = process.getuid!() === 0 ? { uid: 54_321, gid: 54_321 } : {};
  const script =
    `const paths = require('${join(dist, 'paths.js')}'); try { console.log(paths.cacheFolder()); } catch ` +
    '(error) { console.log(error.code, error.message); }';
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', script], { ...user, encoding: 'utf8', env: {} });
  const known = process.getuid!() !== 0; // then the system names a folder
  expect([stdout, stderr]).toEqual([
    known
      ? expect.stringMatching(/cleanclip\n$/)
      : expect.stringMatching(/^ERR_NATIVE This user has no home folder .*Set CLEANCLIP_CACHE/),
    '',
  ]);
});

test('too little address space is told from an addon that does not fit', () => {
  const script = `
    const Module = require('node:module');
    const { _load } = Module;
    Module._load = function (name, ...rest) {
      if (name.endsWith('.node')) throw new Error('libtorch_cpu.so: ' + process.env.SAID);
      return _load.call(this, name, ...rest);
    };
    ${load}`;
  put(join(release, 'cleanclip.node'), 'not a library');
  const said = (text: string): string => node(['-e', script], { SAID: text }).stdout;
  for (const text of [
    'failed to map segment from shared object',
    'cannot allocate memory in static TLS block',
    'cannot create shared object descriptor: Cannot allocate memory',
  ]) {
    expect(said(text)).toMatch(
      joined(
        /There is too little memory or address space for libtorch: free memory, /,
        /or raise the limit \(ulimit -v unlimited\)\.\n$/,
      ),
    );
    expect(said(text)).not.toContain('--force');
  }
  expect(said('cannot open shared object file: Too many open files')).toContain('raise the limit (ulimit -n)');
  expect(said('cannot open shared object file: Permission denied')).toContain('This user may not read or run it');
  expect(said('undefined symbol: x')).toContain('Run "npx cleanclip setup --force"');
});

describe('why a file cannot be written', () => {
  const error = (code: string, text: string): NodeJS.ErrnoException =>
    Object.assign(new Error(`${code}: ${text}, mkdir '/x'`), { code, syscall: 'mkdir' });
  const refuse = (code: string): void => {
    jest.spyOn(fs, 'accessSync').mockImplementation(() => {
      throw Object.assign(new Error(code), { code });
    });
  };

  test("is the read-only disk, where Node's mkdir says that there is no such folder", () => {
    refuse('EROFS');
    expect(writeRefusal(join(folder, 'a/b'), error('ENOENT', 'no such file or directory'))).toBe(
      'read-only file system (EROFS)',
    );
    refuse('EACCES');
    expect(writeRefusal(join(folder, 'a/b'), error('ENOENT', 'no such file or directory'))).toBe(
      'no such file or directory (ENOENT)',
    );
  });

  test('is what the system says, with a remedy where there is one', () => {
    expect(writeRefusal('/x', error('ENOSPC', 'no space left on device'))).toBe('no space left on device (ENOSPC)');
    expect(writeRefusal('/x', error('EMFILE', 'too many open files'))).toBe(
      'too many open files; raise the limit with ulimit -n (EMFILE)',
    );
  });
});
