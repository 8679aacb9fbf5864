import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '../..');

test("docs/scaling.md shows scripts/scaling.mjs's table", () => {
  const printed = execFileSync(process.execPath, [join(root, 'scripts/scaling.mjs')], { encoding: 'utf8' });
  expect(printed.split('\n').length).toBeGreaterThan(16);
  expect(readFileSync(join(root, 'docs/scaling.md'), 'utf8')).toContain(printed);
});
