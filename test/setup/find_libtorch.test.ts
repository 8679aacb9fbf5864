import { join } from 'node:path';

import { findLibtorch } from '../../src/setup/find_libtorch';
import { fakeCudaLibtorch, fakeLibtorch, nvidiaHeaders, put, temporaryFolder } from './fixtures';

const folder = temporaryFolder();
const before = { ...process.env };
const cache = join(folder, 'cache');
const inCache = join(cache, 'libtorch', '2.13.0+cpu-linux-x64');
const sitePackages = join(folder, 'site-packages');

beforeEach(() => {
  process.env = { ...before, CLEANCLIP_CACHE: join(folder, 'no-cache'), PYTHON: join(folder, 'no-python') };
  delete process.env.LIBTORCH;
});
afterAll(() => {
  process.env = before;
});

test('finds nothing where there is nothing', () => {
  expect(findLibtorch()).toBeNull();
});

test('takes the torch of the Python interpreter without importing it', () => {
  const root = fakeLibtorch(join(sitePackages, 'torch'));
  put(join(root, '__init__.py'), 'raise SystemExit("torch was imported")');
  process.env.PYTHON = 'python3';
  process.env.PYTHONPATH = sitePackages;
  expect(findLibtorch()).toEqual({ root, version: '2.13.0+cpu', cuda: null, source: 'pip' });

  fakeLibtorch(root, '2.5.1');
  expect(findLibtorch()).toBeNull();
});

test('goes by the cache before that, and by the pinned version before others in it', () => {
  fakeLibtorch(join(sitePackages, 'torch'));
  process.env.PYTHON = 'python3';
  process.env.PYTHONPATH = sitePackages;
  process.env.CLEANCLIP_CACHE = cache;
  const other = fakeLibtorch(join(cache, 'libtorch', '2.14.1+cpu-linux-x64'), '2.14.1+cpu');
  fakeLibtorch(join(cache, 'libtorch', '.fetch-half'));
  expect(findLibtorch()).toMatchObject({ root: other, source: 'cache' });
  fakeLibtorch(inCache);
  expect(findLibtorch()).toMatchObject({ root: inCache, source: 'cache' });
});

test('finds the cache under XDG_CACHE_HOME too', () => {
  delete process.env.CLEANCLIP_CACHE;
  process.env.XDG_CACHE_HOME = join(folder, 'xdg');
  const root = fakeLibtorch(join(folder, 'xdg', 'cleanclip', 'libtorch', '2.13.0+cpu-linux-x64'));
  expect(findLibtorch()).toMatchObject({ root, source: 'cache' });
});

test('goes by LIBTORCH before all, and does not pass over one that cannot be used', () => {
  fakeLibtorch(inCache);
  process.env.CLEANCLIP_CACHE = cache;
  process.env.LIBTORCH = fakeLibtorch(join(folder, 'chosen'), '2.14.0');
  expect(findLibtorch()).toMatchObject({ root: process.env.LIBTORCH, version: '2.14.0', source: 'LIBTORCH' });

  process.env.LIBTORCH = fakeLibtorch(join(folder, 'old'), '2.5.1');
  expect(() => findLibtorch()).toThrow(
    /^LIBTORCH cannot be used: .* is version 2\.5\.1, but 2\.11 to 2\.14 are supported/,
  );
});

describe('for CUDA', () => {
  test('passes over CPU builds and those without the headers of NCCL', () => {
    process.env.CLEANCLIP_CACHE = join(folder, 'cuda-cache');
    const libtorches = join(process.env.CLEANCLIP_CACHE, 'libtorch');
    fakeLibtorch(join(libtorches, '2.13.0+cpu-linux-x64'));
    expect(findLibtorch({ cuda: true })).toBeNull();
    fakeCudaLibtorch(join(libtorches, '2.14.0+cu130-linux-x64'), [nvidiaHeaders[1]]);
    expect(findLibtorch({ cuda: true })).toBeNull();
    const root = fakeCudaLibtorch(join(libtorches, '2.14.1+cu130-linux-x64'));
    expect(findLibtorch({ cuda: true })).toEqual({ root, version: '2.14.1+cu130', cuda: '13.0', source: 'cache' });
  });

  test('a CUDA build in the cache is then found without asking for it', () => {
    process.env.CLEANCLIP_CACHE = join(folder, 'both-cache');
    fakeLibtorch(join(process.env.CLEANCLIP_CACHE, 'libtorch', '2.13.0+cpu-linux-x64'));
    const root = fakeCudaLibtorch(join(process.env.CLEANCLIP_CACHE, 'libtorch', '2.14.1+cu130-linux-x64'));
    expect(findLibtorch()).toMatchObject({ root });
  });

  test('takes the torch of the Python interpreter when its headers are all there', () => {
    const packages = join(folder, 'cuda-site-packages');
    const root = fakeCudaLibtorch(packages);
    process.env.PYTHON = 'python3';
    process.env.PYTHONPATH = packages;
    expect(findLibtorch({ cuda: true })).toMatchObject({ root, source: 'pip' });
  });

  test('does not pass over what LIBTORCH names, and says what it lacks', () => {
    process.env.LIBTORCH = fakeLibtorch(join(folder, 'cpu'));
    expect(() => findLibtorch({ cuda: true })).toThrow(
      `LIBTORCH cannot be used with --cuda: The libtorch in ${process.env.LIBTORCH} is a CPU build. Unset it, ` +
        'and setup fetches a CUDA build.',
    );
    process.env.LIBTORCH = fakeCudaLibtorch(join(folder, 'bare'), nvidiaHeaders.slice(1));
    expect(() => findLibtorch({ cuda: true })).toThrow(
      'nvidia lacks the headers of the Python packages nvidia-cuda-crt, nvidia-cuda-cccl, which NCCL needs.',
    );
    process.env.LIBTORCH = fakeCudaLibtorch(join(folder, 'whole'));
    expect(findLibtorch({ cuda: true })).toMatchObject({ root: process.env.LIBTORCH, source: 'LIBTORCH' });
  });
});
