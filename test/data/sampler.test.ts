import { batchCount, batchRows, epochOrder, ownBatches, shardLength } from '../../src/data/sampler';
import { torch } from '../../src/torch';

test('the order is that of torch.randperm with the generator seeded by seed + epoch', () => {
  // python: torch.randperm(10, generator=torch.Generator().manual_seed(3)).tolist()
  const expected = [6, 0, 3, 7, 8, 5, 1, 9, 2, 4];
  expect([...epochOrder(10, { seed: 3, epoch: 0, shuffle: true })]).toEqual(expected);
  expect([...epochOrder(10, { seed: 1, epoch: 2, shuffle: true })]).toEqual(expected);
  expect([...epochOrder(10, { seed: 3, epoch: 1, shuffle: true })]).not.toEqual(expected);
});

test('the order is drawn as int32, which is what torch draws as int64', () => {
  for (const n of [1, 1000, 70_001]) {
    const drawn = torch.tidy(() => torch.randperm(n, { generator: new torch.Generator(5) }).toArray());
    expect([...epochOrder(n, { seed: 2, epoch: 3, shuffle: true })]).toEqual(drawn);
  }
});

test('without shuffling the rows keep their order', () => {
  expect([...epochOrder(4, { seed: 3, epoch: 1, shuffle: false })]).toEqual([0, 1, 2, 3]);
  expect(epochOrder(0, { seed: 3, epoch: 1, shuffle: true })).toHaveLength(0);
});

const shards = (worldSize: number): { rank: number; worldSize: number }[] =>
  Array.from({ length: worldSize }, (_, rank) => ({ rank, worldSize }));

test('ranks take turns in the order, which begins once more, or more often, so that each has as many rows', () => {
  const orders = (n: number, shuffle: boolean): number[][] =>
    shards(4).map((shard) => [...epochOrder(n, { seed: 3, epoch: 0, shuffle, shard })]);
  expect(orders(7, false)).toEqual([
    [0, 4],
    [1, 5],
    [2, 6],
    [3, 0],
  ]);
  expect(orders(2, false)).toEqual([[0], [1], [0], [1]]);
  expect(orders(10, true)).toEqual([
    [6, 8, 2],
    [0, 5, 4],
    [3, 1, 6],
    [7, 9, 0],
  ]); // of the order above
  expect([shardLength(7, shards(4)[3]), shardLength(2, shards(4)[0])]).toEqual([2, 1]);
});

test.each([
  [10, 3, 1],
  [10, 3, 2],
  [10, 3, 4],
  [2, 3, 4],
  [12, 3, 2],
  [0, 3, 2],
])('of %i rows in batches of %i, %i ranks measure each once, in whole batches', (n, batchSize, worldSize) => {
  const parts = shards(worldSize).map((shard) => ownBatches(n, batchSize, shard));
  const batches = Array.from({ length: batchCount(n, batchSize, false) }, (_, i) => [
    ...batchRows(parts[i % worldSize], batchSize, Math.floor(i / worldSize)),
  ]);
  expect(batches.flat()).toEqual(Array.from({ length: n }, (_, row) => row));
  expect(parts.reduce((total, { length }) => total + length, 0)).toBe(n);
});

test('batches share the order; the last one may be small', () => {
  const order = Int32Array.from([4, 3, 2, 1, 0]);
  expect([batchCount(5, 2, true), batchCount(5, 2, false), batchCount(4, 2, false), batchCount(1, 2, true)]).toEqual([
    2, 3, 2, 0,
  ]);
  expect([0, 1, 2].map((i) => [...batchRows(order, 2, i)])).toEqual([[4, 3], [2, 1], [0]]);
  expect(batchRows(order, 2, 0).buffer).toBe(order.buffer);
});
