import { torch } from '../../../src/torch';
import { batchOf, lossOf, modelOf, optimizerOf, weightsOf } from './models';
import { type Order, runRanks, valuesOf } from './ranks';

jest.setTimeout(120_000); // many trainings at once, on a busy machine

const STEPS = 5;
const ROWS = 2; // of a rank in each backward

/** The weights after some steps in this process, on all that the ranks compute together. */
function weightsAlone(worldSize: number, name: string, accumulate: number): Float32Array {
  const model = modelOf(torch, name, 0);
  const optimizer = optimizerOf(model);
  for (let step = 0; step < STEPS; step++) {
    for (let part = 0; part < accumulate; part++) {
      lossOf(model, model.forward(...batchOf(torch, name, step * accumulate + part, worldSize * ROWS))).backward();
    }
    optimizer.step();
    optimizer.zeroGrad();
  }
  return weightsOf(model);
}

const gap = (a: Float32Array, b: Float32Array): number =>
  a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i])), a.length === b.length ? 0 : Infinity);

describe.each([2, 4])('%i ranks', (worldSize) => {
  const cases: [title: string, name: string, options: object, accumulate: number][] = [
    ['a vision transformer', 'vit', {}, 1],
    ['a ResNet, batch norm in eval', 'resnet', {}, 1],
    ['many small buckets', 'vit', { bucketCapMb: 0.01 }, 1],
    ['gradients accumulated over three batches', 'vit', {}, 3],
    ['a static graph with unused and shared parameters', 'uneven', { staticGraph: true }, 1],
  ];
  let values: unknown[][];

  beforeAll(async () => {
    const orders = cases.map(([, name, options, accumulate]): Order => [
      'train',
      name,
      options,
      STEPS,
      ROWS,
      accumulate,
    ]);
    values = await valuesOf(worldSize, orders, { patience: 110_000 });
  });

  test.each(cases.map((one, i) => [...one, i] as const))(
    '%s: the weights of one process',
    (_, name, __, accumulate, i) => {
      const alone = weightsAlone(worldSize, name, accumulate);
      const [first, ...others] = values[i] as Float32Array[];
      expect(gap(first, alone)).toBeLessThan(1e-5);
      expect(gap(first, weightsOf(modelOf(torch, name, 0)))).toBeGreaterThan(1e-3); // it has learnt
      for (const other of others) expect(gap(first, other)).toBe(0);
    },
  );
});

describe('two ranks', () => {
  let facts: Record<string, unknown>[];
  let scaled: [x: number, scale: number][][];
  beforeAll(async () => {
    [facts, scaled] = (await valuesOf(2, [['parallelFacts'], ['scaled']])) as [typeof facts, typeof scaled];
  });

  test('begin with the parameters and buffers of rank 0', () => {
    const [first, second] = facts.map(({ begins }) => begins as { buffer: number; weights: Float32Array });
    expect([first.buffer, second.buffer]).toEqual([0, 0]);
    expect(gap(first.weights, second.weights)).toBe(0);
  });

  test('buffers are those of rank 0 at each forward that is followed by an exchange, unless not wanted', () => {
    expect(facts.map(({ buffers }) => buffers)).toEqual([
      { wanted: 1, withoutGradients: 1, notWanted: 1 },
      { wanted: 1, withoutGradients: 2, notWanted: 2 },
    ]);
  });

  test('gradients are views into their bucket', () => {
    for (const { views } of facts) expect(views).toBe(true);
  });

  test('after dispose, gradients are those of the rank alone', () => {
    expect(facts.map(({ alone }) => alone)).toEqual([0, 1]);
  });

  test('leave out a step that overflows on one of them, and lower the scale alike', () => {
    const [first, second] = scaled;
    expect(second).toEqual(first);
    expect(first.map(([, scale]) => scale)).toEqual([65536, 32768, 32768]);
    const [[once], [left], [twice]] = first;
    expect(left).toBe(once);
    expect(twice).toBeLessThan(once);
  });

  test('refuse wrong options', () => {
    for (const { refused } of facts) {
      expect(refused).toEqual([
        'ERR_OPTION: bucketCapMb must be a positive number of MiB, but it is 0.',
        'ERR_OPTION: DistributedDataParallel needs a model with parameters that require gradients.',
      ]);
    }
  });
});

test('models that differ between ranks are refused', async () => {
  for (const { error } of await runRanks(2, [['differentModels']], { timeout: 5000 })) {
    expect(error).toMatchObject({
      code: 'ERR_DISTRIBUTED',
      message: expect.stringMatching(/DistributedDataParallel .* params/),
    });
  }
});
