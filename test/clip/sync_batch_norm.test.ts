import { type ClipOptions, loadClip } from '../../src/clip/model';
import { torch } from '../../src/torch';
import { imagePass, type Pass, trainingResnet } from '../torch/distributed/joined';
import { clips } from '../torch/distributed/models';
import { type Order, runRanks, valuesOf } from '../torch/distributed/ranks';

const squares = (list: Float32Array): number => list.reduce((total, value) => total + value ** 2, 0);

/** How far a list is from another one, in parts of that one's length as a vector. */
function distance(actual: Float32Array, expected: Float32Array): number {
  expect(actual).toHaveLength(expected.length);
  return Math.sqrt(squares(actual.map((value, i) => value - expected[i])) / squares(expected));
}

const joined = (parts: Float32Array[]): Float32Array => Float32Array.from(parts.flatMap((part) => Array.from(part)));
const sum = (parts: Float32Array[]): Float32Array =>
  parts.reduce((total, part) => total.map((value, i) => value + part[i]));

/** The passes of the ranks as that of one process on all their images. */
const join = (passes: Pass[]): Pass => ({
  features: joined(passes.map(({ features }) => features)),
  pixels: joined(passes.map(({ pixels }) => pixels)),
  gradients: sum(passes.map(({ gradients }) => gradients)),
  statistics: passes[0].statistics,
});

describe.each([[[1, 3]], [[2, 1, 2]]])('ranks of %j images', (counts) => {
  const cases: ClipOptions[] = [{}, { gradCheckpointing: true }, { precision: 'bf16' }];
  const parts = ['features', 'pixels', 'gradients', 'statistics'] as const;
  let values: Pass[][];

  const alone = (options: ClipOptions): Pass => {
    const size = counts.reduce((total, count) => total + count);
    return imagePass(torch, trainingResnet(torch, { seed: 0, ...options }), size, { start: 0, length: size });
  };

  beforeAll(async () => {
    values = (await valuesOf(
      counts.length,
      cases.map((options): Order => ['syncPass', counts, options]),
    )) as Pass[][];
  });

  test.each([
    ['float32', 0],
    ['gradient checkpointing', 1],
  ])('%s: features, gradients and statistics of one process', (_, i) => {
    const [actual, expected] = [join(values[i]), alone({})];
    for (const part of parts)
      expect(distance(actual[part], expected[part])).toBeLessThan(part === 'statistics' ? 1e-6 : 2e-4);
  });

  test('bfloat16 autocast: as near to those in float32 as one process in bfloat16', () => {
    const [actual, rounded, expected] = [join(values[2]), alone(cases[2]), alone({})];
    for (const part of parts)
      expect(distance(actual[part], expected[part])).toBeLessThan(1.2 * distance(rounded[part], expected[part]));
  });

  test('all ranks have the same statistics', () => {
    for (const passes of values)
      for (const { statistics } of passes) expect(distance(statistics, passes[0].statistics)).toBe(0);
  });
});

test('without it, in eval, in a repeated pass', async () => {
  const [[shapes], [[before, after]]] = (await valuesOf(2, [['withoutSync'], ['repeatedSync']])) as [
    number[][][],
    [Float32Array, Float32Array][],
  ];
  expect(shapes).toEqual([
    [2, 32],
    [2, 32],
  ]);
  expect(distance(after, before)).toBe(0);
});

test('a rank that does not come to forward', async () => {
  const [waiting] = await runRanks(2, [['absentFromForward']], { timeout: 2000 });
  expect(waiting.error).toMatchObject({
    code: 'ERR_DISTRIBUTED',
    message: expect.stringContaining('Rank 0 of 2: forward '),
  });
});

test('needs a process group', () => {
  expect(() => loadClip(clips.resnet).syncBatchNorm()).toThrow(
    'There is no process group in this thread; await initProcessGroup first.',
  );
});
