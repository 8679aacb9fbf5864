import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

test('mutated weight files give values or sentences, never a crash, a hang or an error without a code', () => {
  const out = execFileSync(process.execPath, [join(__dirname, 'weights.js'), '--seed', '1', '--count', '40'], {
    encoding: 'utf8',
  });
  const counts = JSON.parse(out) as Record<string, number>;
  expect(counts).toMatchObject({ odd: 0, crashed: 0, hung: 0 });
  expect(counts.ok + counts.refused).toBe(40);
});
