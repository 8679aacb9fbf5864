import { batchCount, batchRows, epochOrder } from '../../src/data/sampler';
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

test('batches share the order; the last one may be small', () => {
  const order = Int32Array.from([4, 3, 2, 1, 0]);
  expect([batchCount(5, 2, true), batchCount(5, 2, false), batchCount(4, 2, false), batchCount(1, 2, true)]).toEqual([2, 3, 2, 0]);
  expect([0, 1, 2].map((i) => [...batchRows(order, 2, i)])).toEqual([[4, 3], [2, 1], [0]]);
  expect(batchRows(order, 2, 0).buffer).toBe(order.buffer);
});
