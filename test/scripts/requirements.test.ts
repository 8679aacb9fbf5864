import { readFileSync } from 'node:fs';
import { join } from 'node:path';

// The suites run with the Python of test/parity/requirements.txt, and in CI with the harness's too: one package less
// there fails a suite that passes here.
const root = join(__dirname, '../..');

/** Returns the names of a requirements file's packages. */
function packages(file: string): Set<string> {
  const lines = readFileSync(join(root, 'test/parity', file), 'utf8').split('\n');
  return new Set(lines.flatMap((line) => /^[\w-]+/.exec(line) ?? []));
}

test('the Python of the harness has every package of the tests', () => {
  const harness = packages('harness-requirements.txt');
  const tests = packages('requirements.txt');
  expect(tests.size).toBeGreaterThan(10);
  expect([...tests].filter((name) => !harness.has(name))).toEqual([]);
});
