import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

test('mutated tars and parquet files are read or refused with a sentence', () => {
  const { stdout, status } = spawnSync(
    process.execPath,
    [join(__dirname, 'shards.js'), '--seed', '3', '--count', '600'],
    { encoding: 'utf8', timeout: 100_000 },
  );
  const { read, refused, faults } = JSON.parse(stdout.trim().split('\n').pop()!) as Record<string, number>;
  expect(stdout.split('\n')).toHaveLength(2);
  expect([faults, status]).toEqual([0, 0]);
  expect(Math.min(read, refused)).toBeGreaterThan(200);
}, 120_000);
