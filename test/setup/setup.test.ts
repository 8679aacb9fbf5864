import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { start, until } from '../support/command';
import { joined } from '../support/patterns';
import { copyPackage, fakeLibtorch, node, pathWith, put, realLibtorch, realPython, temporaryFolder } from './fixtures';

const folder = temporaryFolder();
const copy = copyPackage(join(folder, 'package'));
const addon = join(copy, 'build', 'Release', 'cleanclip.node');
const cleanclip = (args: readonly string[], env: NodeJS.ProcessEnv) =>
  node([join(copy, 'bin', 'cleanclip.js'), ...args], env);
const emptyCache = { CLEANCLIP_CACHE: join(folder, 'cache'), PYTHON: realPython };

/** The one sentence on stderr of a setup that must fail. */
function failure(env: NodeJS.ProcessEnv): string {
  const { status, stderr } = cleanclip(['setup'], env);
  expect(status).toBe(1);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  return stderr.trim();
}

describe('setup, when something is missing, says what and how to mend it', () => {
  const libtorch = fakeLibtorch(join(folder, 'libtorch'));

  test('no compiler', () => {
    const env = { LIBTORCH: libtorch, PATH: pathWith(join(folder, 'no-compiler'), ['cmake', 'ninja']) };
    expect(failure(env)).toMatch(
      /^cleanclip: The addon cannot be compiled: no usable C\+\+ compiler was found in PATH\. Install GCC 11/,
    );
  });

  test('a compiler that is too old', () => {
    const bin = pathWith(join(folder, 'old-compiler'), ['cmake', 'ninja']);
    put(join(bin, 'g++'), '#!/bin/sh\necho "g++ (Ubuntu 9.4.0-1ubuntu1~20.04.2) 9.4.0"\n', 0o755);
    expect(failure({ LIBTORCH: libtorch, PATH: bin })).toContain('no usable C++ compiler');
  });

  test('no CMake', () => {
    const env = { LIBTORCH: libtorch, PATH: pathWith(join(folder, 'no-cmake'), ['g++', 'ninja']) };
    expect(failure(env)).toContain('no usable CMake was found in PATH. Install CMake 3.18 or newer');
  });

  test('no Ninja and no make', () => {
    const env = { LIBTORCH: libtorch, PATH: pathWith(join(folder, 'no-ninja'), ['g++', 'cmake']) };
    expect(failure(env)).toContain('no usable Ninja or make was found');
  });

  test('a libtorch that does not compile; with --quiet the messages of the compiler are there all the same', () => {
    const env = { LIBTORCH: libtorch, CLEANCLIP_BUILD: join(folder, 'failed-build') };
    const [loud, quiet] = [cleanclip(['setup'], env), cleanclip(['setup', '--quiet'], env)];
    expect([loud.status, quiet.status]).toEqual([1, 1]);
    expect(loud.stdout).toMatch(/^Compiling the addon against libtorch 2\.13\.0/m);
    expect(quiet.stdout).toBe('');
    expect(quiet.stderr).toMatch(/fatal error|CMake Error/);
    expect(quiet.stderr).toMatch(/^cleanclip: The addon could not be compiled against libtorch 2\.13\.0.*above/m);
  }, 60_000);

  test('a libtorch of the wrong version', () => {
    const old = fakeLibtorch(join(folder, 'old'), '2.5.1+cu121');
    expect(failure({ LIBTORCH: old })).toContain(
      `LIBTORCH cannot be used: The libtorch in ${old} is version 2.5.1+cu121`,
    );
  });

  test('no Python', () => {
    const env = { ...emptyCache, PYTHON: '', PATH: pathWith(join(folder, 'no-python'), ['g++', 'cmake', 'ninja']) };
    expect(failure(env)).toContain(
      'Python 3 was not found, and libtorch is fetched with its pip. Install python3 and pip, or set LIBTORCH',
    );
  });

  test('no network', () => {
    const nowhere = 'http://127.0.0.1:9';
    const env = {
      ...emptyCache,
      PIP_CONFIG_FILE: '/dev/null',
      PIP_FIND_LINKS: '',
      PIP_INDEX_URL: `${nowhere}/simple`,
      HTTPS_PROXY: nowhere,
      NO_PROXY: '',
    };
    const python = put(
      join(folder, 'python-without-torch'),
      `#!/bin/sh\ncase "$2" in *find_spec*) exit 0 ;; esac\nexec "${realPython}" "$@"\n`,
      0o755,
    );
    expect(failure({ ...env, PYTHON: python })).toMatch(
      /torch 2\.13\.0 could not be downloaded: pip of .* Go online, .* or set LIBTORCH/,
    );
  });
});

describe('the addon', () => {
  const env = { LIBTORCH: realLibtorch(), CLEANCLIP_BUILD: '', CLEANCLIP_CACHE: join(folder, 'cache') };
  const load =
    `try { require('${join(copy, 'dist/setup/load.js')}').loadAddon(); } catch (error) { ` +
    'console.log(error.code, error.message); }';
  const loading = (more: NodeJS.ProcessEnv = {}): string => node(['-e', load], { ...env, ...more }).stdout.trim();

  test('is missed with one sentence, by the loader and by the doctor', () => {
    expect(loading()).toBe(
      `ERR_NATIVE The addon has not been compiled: there is no ${addon}. Run "npx cleanclip setup".`,
    );
    const { status, stdout } = cleanclip(['doctor'], env);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^MISS +addon +not compiled: .*\n +→ Run "npx cleanclip setup"\.$/m);
  });

  test('is looked for in CLEANCLIP_BUILD when that is set', () => {
    const other = join(folder, 'other');
    expect(loading({ CLEANCLIP_BUILD: other })).toContain(`there is no ${join(other, 'Release', 'cleanclip.node')}.`);
  });

  test('is compiled by setup, recorded, and then left alone', () => {
    const first = cleanclip(['setup'], env);
    expect(first.stderr).not.toContain('error');
    expect(first.stdout).toMatch(/The addon is ready\.\n$/);
    const record = JSON.parse(readFileSync(join(copy, 'build', 'Release', 'cleanclip.json'), 'utf8'));
    expect(record).toMatchObject({ libtorch: { root: env.LIBTORCH }, platform: `${process.platform}-${process.arch}` });
    expect(existsSync(join(copy, 'build', 'cmake'))).toBe(false); // an installed package keeps no object files

    const { mtimeMs } = statSync(addon);
    expect(cleanclip(['setup'], { ...env, PATH: '' }).stdout).toMatch(/^The addon is ready, built against libtorch /);
    expect(statSync(addon).mtimeMs).toBe(mtimeMs);
  }, 240_000);

  test('loads, and the doctor is content even without a compiler', () => {
    expect(loading()).toBe('');
    const { status, stdout } = cleanclip(['doctor', '--json'], { ...env, PATH: '', PYTHON: '' });
    expect(status).toBe(0);
    const report = JSON.parse(stdout);
    expect(report.ok).toBe(true);
    expect(report.checks).toContainEqual({
      name: 'C++ compiler',
      found: 'not found (only needed to compile)',
      ok: true,
      remedy: expect.any(String),
    });
    expect(report.checks).toContainEqual({
      name: 'processor',
      found: expect.stringMatching(/, \d+ threads$/),
      ok: true,
    });
  });

  test('is not taken for one with CUDA', () => {
    expect(JSON.parse(cleanclip(['doctor', '--json'], env).stdout).checks).toContainEqual({
      name: 'CUDA',
      found: expect.stringContaining('compiled for the CPU'),
      ok: true,
    });
    const missing =
      `require('${join(copy, 'dist/setup/cuda.js')}').missingCuda({ root: '/torch', version: '2.14.1+cu130', ` +
      `cuda: '13.0' })`;
    expect(node(['-p', missing], env).stdout.trim()).toBe(
      'The addon was compiled against libtorch 2.14.1+cu130 (CUDA 13.0) in /torch, but has no CUDA: the linker ' +
        'has left libtorch_cuda out.',
    );
    const { status, stderr } = cleanclip(['setup', '--cuda'], env);
    expect(status).toBe(1);
    expect(stderr).toBe(
      `cleanclip: LIBTORCH cannot be used with --cuda: The libtorch in ${env.LIBTORCH} is a CPU build. Unset ` +
        'it, and setup fetches a CUDA build.\n',
    );
  });

  test('is seen to be stale when a source has changed', () => {
    put(join(copy, 'native', 'more.cc'), '// more\n');
    const { status, stdout } = cleanclip(['doctor'], env);
    expect(status).toBe(1);
    expect(stdout).toContain('It was not compiled from the sources of this package. Run "npx cleanclip setup".');
  });

  test('is compiled by one process at a time: another is refused, and told who does it', async () => {
    const first = start(process.execPath, [join(copy, 'bin', 'cleanclip.js'), 'setup'], folder, { env });
    await until(() => existsSync(join(copy, 'build', '.setup.lock')));
    const { status, stderr } = cleanclip(['setup'], env);
    expect(status).toBe(1);
    expect(stderr).toMatch(
      new RegExp(
        `^cleanclip: The addon is being compiled in .*build by process ${first.child.pid} on host \\S+ since ` +
          '\\S+; wait until that is done, and run this again\\.\n$',
      ),
    );
    expect(await first.ended).toMatchObject({ code: 0, stdout: expect.stringMatching(/The addon is ready\.\n$/) });
    expect(existsSync(join(copy, 'build', '.setup.lock'))).toBe(false);
  }, 240_000);

  test('keeps its record and itself when compiling fails', () => {
    put(join(copy, 'native', 'more.cc'), 'no C++\n');
    const { status, stderr } = cleanclip(['setup'], env);
    expect(status).toBe(1);
    expect(stderr).toContain(`The addon could not be compiled against libtorch`);
    expect(existsSync(addon)).toBe(true);
    expect(loading()).toBe('');
  }, 240_000);

  test('is not loaded when its libtorch has gone, has changed, or is for another machine', () => {
    const recordFile = join(copy, 'build', 'Release', 'cleanclip.json');
    const record = JSON.parse(readFileSync(recordFile, 'utf8'));
    const withRecord = (change: object): string => {
      put(recordFile, JSON.stringify({ ...record, ...change }));
      return loading();
    };
    expect(withRecord({ libtorch: { root: '/gone', version: '2.13.0', cuda: null } })).toBe(
      'ERR_NATIVE The addon was compiled against libtorch 2.13.0 in /gone, which is no longer there. Run "npx ' +
        'cleanclip setup".',
    );
    expect(withRecord({ libtorch: { ...record.libtorch, version: '2.13.9' } })).toContain(
      `in ${env.LIBTORCH}, but that folder now has version ${record.libtorch.version}.`,
    );
    expect(withRecord({ platform: 'darwin-arm64' })).toContain('was compiled for darwin-arm64, and this is');
  });

  test('is reported with the reason when it is no addon at all', () => {
    rmSync(join(copy, 'build', 'Release', 'cleanclip.json'));
    put(addon, 'not a library');
    expect(loading()).toMatch(
      joined(
        /^ERR_NATIVE The addon \S+ cannot be loaded: .* Run "npx cleanclip setup --force"; /,
        /"npx cleanclip doctor" shows what is there\.$/,
      ),
    );
  });
});
