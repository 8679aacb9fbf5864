import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(__dirname, '../..');

/** Returns what a module of bench/, which is an ES module, gives for an expression. */
const evaluate = (imports: string, expression: string): unknown =>
  JSON.parse(
    execFileSync(
      process.execPath,
      ['--input-type=module', '-e', `import ${imports}; console.log(JSON.stringify(${expression}));`],
      { cwd: join(root, 'bench'), encoding: 'utf8' },
    ),
  );

test('the exponent of a power is its own, and that of a constant is 0', () => {
  const of = (sizes: number[], costs: number[]): unknown =>
    evaluate("{ exponentOf } from './slope.mjs'", `exponentOf(${JSON.stringify(sizes)}, ${JSON.stringify(costs)})`);
  expect(of([1, 10, 100], [3, 300, 30_000])).toBeCloseTo(2, 12);
  expect(of([30_000, 300_000, 30_000_000], [7, 7, 7])).toBeCloseTo(0, 12);
});

test('a line of the table says whether its exponent is as wanted, and why not', () => {
  const line = { title: 'rows', sizes: [1000, 2000], costs: [1, 2], unit: 's', exponent: 1, why: 'each row is read' };
  const text = evaluate(
    "{ renderGrowth } from './report.mjs'",
    `renderGrowth(${JSON.stringify([line, { ...line, atMost: 1.05 }, { ...line, atMost: 0.05, when: 'today' }])})`,
  ) as string;
  expect(text.split('\n').filter((row) => row.startsWith('| rows'))).toEqual([
    '| rows | 1,000: 1.00 s, 2,000: 2.00 s | 1.00 |  |  |  |',
    '| rows | 1,000: 1.00 s, 2,000: 2.00 s | 1.00 | ≤ 1.05 | met |  |',
    '| rows | 1,000: 1.00 s, 2,000: 2.00 s | 1.00 | ≤ 0.05 | short: each row is read | today |',
  ]);
});

describe('the simulation of ranks', () => {
  /** A step of 7 seconds alone, of which two processes at a time take 1.5 times as long. */
  const run = (worldSize: number): object => {
    const slower = worldSize === 1 ? 1 : 1.5;
    const alone = { seconds: 7 * slower, forward: 2 * slower, backward: 4 * slower, optimizer: slower };
    return { model: 'tiny', worldSize, pairs: 32, weak: true, alone: { node: alone }, step: { node: alone } };
  };
  /** @param loss seconds of the loss of 64 pairs */
  const results = (link: object, loss = 0): string => {
    const tiny = { buckets: [{ bytes: 400, at: 1 }], buffers: 0, embedDim: 8, loss: { pairs: 64, seconds: loss } };
    return JSON.stringify({ runs: [1, 2, 4, 8].map(run), models: { tiny }, link });
  };
  const free = { bandwidth: 1e300, latency: 0, cores: 0 };

  test('goes on from the measured ranks, which share the cores, and to ranks with a core each', () => {
    const more = evaluate(
      "{ extrapolate } from './distributed/validate.mjs'",
      `extrapolate(${results(free)}, 2, [16, 512])`,
    ) as { worldSize: number; here: number; apart: number; alone: number }[];
    more.forEach(({ worldSize, here, apart, alone }) => {
      expect([apart, alone]).toEqual([expect.closeTo(7, 9), expect.closeTo(7, 9)]);
      expect(here).toBeCloseTo((1.5 * 7 * worldSize) / 2, 6);
    });
    expect(more.map(({ worldSize }) => worldSize)).toEqual([16, 512]);
  });

  test('takes longer over a link that takes time, the longer the more ranks there are', () => {
    const [few, many] = evaluate(
      "{ extrapolate } from './distributed/validate.mjs'",
      `extrapolate(${results({ bandwidth: 100, latency: 0.01, cores: 0 })}, 2, [16, 512])`,
    ) as { apart: number }[];
    expect(few.apart).toBeGreaterThan(7);
    expect(many.apart).toBeGreaterThan(few.apart);
  });

  test('has a loss that grows with the square of the pairs of all ranks', () => {
    const [{ apart }] = evaluate(
      "{ extrapolate } from './distributed/validate.mjs'",
      `extrapolate(${results(free, 4)}, 2, [16])`,
    ) as { apart: number }[];
    expect(apart).toBeCloseTo(7 + 16 ** 2 - 1, 6); // a second for the 32 pairs of one rank
  });

  test('is compared with every number of ranks', () => {
    const checked = evaluate(
      "{ validate } from './distributed/validate.mjs'",
      `validate(${results(free)}, 2).map(({ run, error }) => [run.worldSize, error])`,
    );
    // the invented steps of 4 and 8 ranks take as long as those of 2, as if each had a core
    expect(checked).toEqual([1, 2, 4, 8].map((ranks) => [ranks, expect.closeTo(Math.max(1, ranks / 2) - 1, 9)]));
  });
});
