import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { describeLibtorch, readLibtorch, tryReadLibtorch } from '../../src/setup/libtorch';
import { fakeLibtorch, put, temporaryFolder } from './fixtures';

const folder = temporaryFolder();

test('reads the version and CUDA from a Python package', () => {
  const root = fakeLibtorch(join(folder, 'cuda'), '2.14.1+cu130', '13.0');
  expect(readLibtorch(root)).toEqual({ root, version: '2.14.1+cu130', cuda: '13.0' });
  expect(describeLibtorch(readLibtorch(root))).toBe(`2.14.1+cu130 (CUDA 13.0) in ${root}`);
});

test('reads the version of an unpacked libtorch archive from build-version, or from the headers', () => {
  const root = fakeLibtorch(join(folder, 'archive'));
  rmSync(join(root, 'version.py'));
  put(join(root, 'include/torch/headeronly/version.h'), '#define TORCH_VERSION \\\n  "2.13.1"\n');
  expect(readLibtorch(root)).toMatchObject({ version: '2.13.1', cuda: null });
  put(join(root, 'build-version'), '2.13.0+cpu\n');
  expect(readLibtorch(root)).toMatchObject({ version: '2.13.0+cpu' });
});

test.each(['2.10.0', '2.15.0', '2.1.3', '3.13.0', '1.13.0+cpu'])(
  'refuses version %s and names those that fit',
  (version) => {
    const root = fakeLibtorch(join(folder, version), version);
    expect(() => readLibtorch(root)).toThrow(
      `The libtorch in ${root} is version ${version}, but 2.11 to 2.14 are supported`,
    );
    expect(tryReadLibtorch(root)).toBeNull();
  },
);

test.each(['include/ATen/ATen.h', 'lib/libtorch_cpu.so'])('refuses a folder without %s', (file) => {
  const root = fakeLibtorch(join(folder, `without-${file.replaceAll('/', '-')}`));
  rmSync(join(root, file));
  expect(() => readLibtorch(root)).toThrow(`${root} is not a libtorch folder: it has no ${file}.`);
});
