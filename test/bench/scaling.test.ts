import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '../..');

/** A table without what prettier adds to it: blanks and dashes that line up its columns. */
const unpadded = (text: string): string => text.replace(/ +/g, ' ').replace(/-{3,}/g, '---');

test("docs/scaling.md shows scripts/scaling.mjs's table", () => {
  const printed = execFileSync(process.execPath, [join(root, 'scripts/scaling.mjs')], { encoding: 'utf8' });
  expect(printed.split('\n').length).toBeGreaterThan(16);
  expect(unpadded(readFileSync(join(root, 'docs/scaling.md'), 'utf8'))).toContain(unpadded(printed));
});
