import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Listing } from '../../src/data/listing';
import { readPairs } from '../../src/data/pairs';
import { writeShards } from '../../src/data/shard_writer';
import type { ProgressEvent } from '../../src/progress';
import { temporaryFolder } from './temporary';

type Progress = Extract<ProgressEvent, { type: 'progress' }>;

/** Hooks that keep what is said. */
function listener(): { onProgress: (event: ProgressEvent) => void; steps: Progress[]; lines: string[] } {
  const [steps, lines]: [Progress[], string[]] = [[], []];
  const onProgress = (event: ProgressEvent): void => {
    if (event.type === 'progress') steps.push(event);
    else if (event.type === 'log') lines.push(event.line);
  };
  return { onProgress, steps, lines };
}

describe('reading for minutes', () => {
  beforeEach(() => void jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate'] }));
  afterEach(() => void jest.useRealTimers());

  test('is told four times per second at most, and logged every minute', () => {
    const folder = temporaryFolder({ 'a.tar': '', 'b.tar': '' });
    truncateSync(join(folder, 'a.tar'), 1e9);
    truncateSync(join(folder, 'b.tar'), 3e9);
    const { steps, lines, ...hooks } = listener();
    const listing = new Listing([join(folder, 'a.tar'), join(folder, 'b.tar')], 'shards', hooks);
    for (const size of [1e9, 3e9]) {
      listing.next();
      for (let i = 0; i < 1000; i++) {
        jest.advanceTimersByTime(100); // 200 s in all
        listing.atByte((i / 1000) * size);
      }
    }
    listing.end();
    expect(steps[0]).toEqual({ type: 'progress', done: 0, total: 4e9, text: 'bytes of shards read, file 1 of 2' });
    expect(steps.at(-1)).toMatchObject({ done: 4e9, total: 4e9 });
    expect(steps.length).toBeGreaterThan(600);
    expect(steps.length).toBeLessThanOrEqual(200 * 4 + 2);
    expect(steps.map(({ done }) => done)).toEqual(steps.map(({ done }) => done).sort((a, b) => a - b));
    expect(lines).toEqual([
      'Reading shards: 599 of 4000 MB, 10.0 MB per second, 6 min left, file 1 of 2',
      'Reading shards: 1597 of 4000 MB, 13.3 MB per second, 4 min left, file 2 of 2',
      'Reading shards: 3397 of 4000 MB, 18.9 MB per second, 1 min left, file 2 of 2',
      'Reading shards took 200 s.',
    ]);
  });

  test('says what is done with a file, and never goes back', () => {
    const folder = temporaryFolder({ 'a.parquet': Buffer.alloc(1000) });
    const { steps, lines, ...hooks } = listener();
    const listing = new Listing([join(folder, 'a.parquet')], 'shards', hooks);
    listing.next();
    for (const [part, how] of [[0.5, 'is being unpacked'], [0.9, 'is being unpacked'], [0.1], [0.95]] as const) {
      jest.advanceTimersByTime(61_000);
      listing.at(part, how);
    }
    expect(steps.map(({ done }) => done)).toEqual([0, 500, 900, 900, 950]);
    expect(steps.map(({ text }) => text.replace('bytes of shards read', ''))).toEqual([
      '',
      ...[', file 1 of 1 is being unpacked', ', file 1 of 1 is being unpacked', '', ''],
    ]);
    expect(lines).toHaveLength(4);
  });
});

test('readPairs tells how many bytes are read, of a csv and of tars, and is stopped by the signal', async () => {
  const samples = Array.from({ length: 5000 }, (_, i) => ({ key: `${i}`, files: { jpg: 'x', txt: `caption ${i}` } }));
  const folder = temporaryFolder();
  await writeShards(folder, samples, 2500);
  writeFileSync(join(folder, 'a.csv'), `image,caption\n${samples.map(({ key }) => `${key}.jpg,${key}`).join('\n')}`);
  for (const [name, text] of [
    ['{00000,00001}.tar', 'bytes of shards read, file 1 of 2'],
    ['a.csv', 'bytes of the csv read'],
  ]) {
    const { steps, ...hooks } = listener();
    const table = await readPairs(join(folder, name), {}, hooks);
    expect(table.length).toBe(5000);
    expect(steps[0]).toMatchObject({ done: 0, text });
    expect(steps.at(-1)!.done).toBe(steps[0].total);
    const controller = new AbortController();
    const stopping = { signal: controller.signal, onProgress: () => controller.abort() };
    await expect(readPairs(join(folder, name), {}, stopping)).rejects.toMatchObject({
      code: 'ERR_ABORTED',
      message: expect.stringMatching(/^Reading (shards|the csv) was stopped\.$/),
    });
  }
  await expect(readPairs(join(folder, 'a.csv'), {}, { onProgress: 3 as never })).rejects.toMatchObject({
    code: 'ERR_OPTION',
    message: 'onProgress must be a function, but is 3.',
  });
});
