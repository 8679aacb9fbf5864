import { join } from 'node:path';

import { findLibtorch } from '../../src/native/find_libtorch';
import { fakeLibtorch, put, temporaryFolder } from './fixtures';

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
  expect(() => findLibtorch()).toThrow(/^LIBTORCH cannot be used: .* is version 2\.5\.1, but 2\.13 or 2\.14 is needed/);
});
