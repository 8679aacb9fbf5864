import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

test('mutated images are read or refused: no crash, no hang, no error without a code, no stall', () => {
  const { stdout, status } = spawnSync(
    process.execPath,
    [join(__dirname, 'images.js'), '--seed', '2', '--count', '400'],
    { encoding: 'utf8', timeout: 50_000 },
  );
  const { counts, faults } = JSON.parse(stdout.slice(0, stdout.lastIndexOf('}') + 1)) as {
    counts: Record<string, number>;
    faults: string[];
  };
  expect(faults).toEqual([]);
  expect(counts.ok + counts.refused).toBe(400);
  expect(Math.min(counts.ok, counts.refused)).toBeGreaterThan(50);
  expect(status).toBe(0);
});
