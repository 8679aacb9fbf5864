import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { operationNames } from '../../src/augment/autoaugment';

/** Digests of what the kernels compute with the instructions that a value of ATEN_CPU_CAPABILITY allows. */
function digests(capability: string): Record<string, string> {
  const { stdout, stderr } = spawnSync(process.execPath, [join(__dirname, 'pixels_digest.js')], {
    encoding: 'utf8',
    env: { ...process.env, ATEN_CPU_CAPABILITY: capability },
  });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Record<string, string>;
}

test('resizing, augmenting and normalising give the same bytes with all instructions, with AVX2, and without', () => {
  const plain = digests('default');
  expect(Object.keys(plain)).toEqual(expect.arrayContaining([...operationNames, 'resize', 'normalize']));
  expect(digests('avx2')).toEqual(plain);
  expect(digests('avx512')).toEqual(plain);
});
