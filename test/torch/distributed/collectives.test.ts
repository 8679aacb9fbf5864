import { freePort } from '../../../src/jobs/ranks/free_port';
import { type DType, type Tensor, torch } from '../../../src/torch';
import { type Order, valuesOf } from './ranks';

/** What scenarios.js gives each rank. */
const numbersOf = (rank: number, shape: number[], dtype: DType): Tensor =>
  torch
    .randn(shape, { generator: new torch.Generator(rank) })
    .mul(4)
    .to(dtype);

const allOf = (worldSize: number, shape: number[], dtype: DType): Tensor =>
  torch.stack(Array.from({ length: worldSize }, (_, rank) => numbersOf(rank, shape, dtype)));

const reduced = (all: Tensor, op: string): Tensor => {
  if (op === 'min') return all.amin([0]);
  if (op === 'max') return all.amax([0]);
  if (op === 'product') return all.prod(0).to(all.dtype);
  return op === 'mean' ? all.mean([0]) : all.sum([0]).to(all.dtype);
};

const close = (actual: unknown, expected: Tensor): void => {
  const tensor = torch.tensor(actual as number[], { dtype: 'float64' });
  expect(tensor.shape).toEqual(expected.shape);
  expect(tensor.allclose(expected.to('float64'), 1e-6, 1e-6)).toBe(true);
};

const ops = ['sum', 'mean', 'min', 'max', 'product'];
const dtypes: DType[] = ['float64', 'int64', 'uint8', 'bfloat16'];

describe.each([2, 4])('%i ranks', (worldSize) => {
  const shape = [worldSize * 2, 3];
  let values: Record<string, unknown[]>;

  beforeAll(async () => {
    const orders: Record<string, Order> = {
      ...Object.fromEntries(ops.map((op): [string, Order] => [op, ['reduce', 'float32', op, shape]])),
      ...Object.fromEntries(dtypes.map((dtype): [string, Order] => [dtype, ['reduce', dtype, 'max', shape]])),
      gather: ['gather', 'float32', shape],
      scatter: ['scatter', 'float32', 'mean', shape],
      broadcast: ['broadcast', worldSize - 1],
      ring: ['ring'],
      objects: ['objects'],
      many: ['many'],
      facts: ['facts'],
      free: ['free'],
      refusals: ['refusals'],
    };
    const all = await valuesOf(worldSize, Object.values(orders));
    values = Object.fromEntries(Object.keys(orders).map((name, i) => [name, all[i]]));
  });

  test.each(ops)('allReduce: %s', (op) => {
    const expected = reduced(allOf(worldSize, shape, 'float32'), op);
    values[op].forEach((value) => close(value, expected));
  });

  test.each(dtypes)('allReduce of %s', (dtype) => {
    const expected = reduced(allOf(worldSize, shape, dtype), 'max');
    values[dtype].forEach((value) => close(value, expected));
  });

  test('allGather', () => {
    const expected = allOf(worldSize, shape, 'float32');
    values.gather.forEach((value) => close(value, expected));
  });

  test('reduceScatter', () => {
    const parts = reduced(allOf(worldSize, shape, 'float32'), 'mean').chunk(worldSize);
    values.scatter.forEach((value, rank) => close(value, parts[rank]));
  });

  test('broadcast from the last rank', () => {
    const expected = numbersOf(worldSize - 1, [3, 2], 'float32');
    values.broadcast.forEach((value) => close(value, expected));
  });

  test('send and recv, told apart by tags', () => {
    const before = (rank: number): number => (rank + worldSize - 1) % worldSize;
    expect(values.ring).toEqual(values.ring.map((_, rank) => [before(rank), before(rank) + 10]));
  });

  test('allGatherObject', () => {
    const expected = Array.from({ length: worldSize }, (_, rank) => [rank, 'ä'.repeat(rank), rank]);
    expect(values.objects).toEqual(Array(worldSize).fill(expected));
  });

  test('operations called at once keep their order', () => {
    const expected = Array.from({ length: 20 }, (_, i) => (100 * worldSize * (worldSize - 1)) / 2 + worldSize * i);
    expect(values.many).toEqual(Array(worldSize).fill(expected));
  });

  test('the facts of the group', () => {
    expect(values.facts).toEqual(values.facts.map((_, rank) => [true, rank, worldSize, 'gloo']));
  });

  test('timers go on while a collective waits', () => {
    expect(values.free[0]).toBeGreaterThan(2);
  });

  test('wrong arguments are refused, and the group goes on', () => {
    values.refusals.forEach((refusals, rank) => {
      expect(refusals).toEqual([
        'ERR_TORCH: Ranks exchange dense contiguous tensors; call contiguous() first.',
        "ERR_OPTION: The mean is taken of floating point tensors, but this one is int64; convert it, or use 'sum'.",
        "ERR_OPTION: op must be one of sum, mean, min, max, product, but it is 'median'.",
        "ERR_TORCH: The process group does not reach tensors on 'meta'; ranks exchange those on 'cpu' and 'cuda'.",
        `ERR_OPTION: reduceScatter splits the first dimension among ${worldSize} ranks, but the tensor is [3].`,
        `ERR_OPTION: src must be an integer from 0 to ${worldSize - 1} (a rank), but is -1.`,
        `ERR_OPTION: dst must be another rank, but ${rank} is this one.`,
        'ERR_OPTION: There is a process group already; destroy it first with destroyProcessGroup.',
        expect.stringContaining('ERR_TORCH: This tensor was disposed'),
      ]);
    });
  });
});

test('worker threads have groups of their own', async () => {
  expect(await valuesOf(2, [['inWorker']], { noGroup: true })).toEqual([[3, 3]]);
});

test('a second group after the first, and one alone', async () => {
  const again = await valuesOf(2, [['again', `tcp://127.0.0.1:${await freePort()}`]]);
  expect(again).toEqual([Array(2).fill([false, 2])]);
  expect(await valuesOf(1, [['reduce', 'float32', 'sum', [1]], ['facts']])).toMatchObject([
    [[numbersOf(0, [1], 'float32').item()]],
    [[true, 0, 1, 'gloo']],
  ]);
});

test('objects at once, and with other collectives, come in the order of the calls', async () => {
  const [values] = await valuesOf(3, [['objectsAtOnce']]);
  const numbers = Array.from({ length: 4 }, (_, i) =>
    [0, 1, 2].map((rank) => Array<number>(1 + ((7 * i + 5 * rank) % 9)).fill(i)),
  );
  const refused = 'ERR_OPTION: broadcastCoalesced blocks this thread while allGatherObject waits; await that first.';
  expect(values).toEqual(Array(3).fill([[['ab', 'abab', 'ababab'], ...numbers], [6, 6, 6], refused]));
});
