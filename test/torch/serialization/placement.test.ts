import fc from 'fast-check';

import { placeTensors, span, type StoredTensor } from '../../../src/torch/serialization/placement';

const tensor = (
  storage: number,
  offset: number,
  shape: number[],
  stride: number[],
  dtype = 'float32',
): StoredTensor => ({
  storage: BigInt(storage),
  dtype,
  offset,
  shape,
  stride,
});

test('span counts the elements from the first to the last', () => {
  expect(span({ shape: [], stride: [] })).toBe(1);
  expect(span({ shape: [2, 3], stride: [3, 1] })).toBe(6);
  expect(span({ shape: [2, 3], stride: [1, 10] })).toBe(22);
  expect(span({ shape: [4, 5], stride: [0, 1] })).toBe(5);
  expect(span({ shape: [2, 0], stride: [9, 9] })).toBe(0);
});

test('tied weights share a record, neighbours in one storage do not', () => {
  const weight = tensor(1, 0, [4, 2], [2, 1]);
  const tied = tensor(1, 0, [2, 4], [1, 2]);
  const row = tensor(1, 6, [2], [1]);
  const neighbour = tensor(1, 8, [8], [1]);
  const other = tensor(2, 0, [8], [1]);
  const { runs, runOf } = placeTensors([other, weight, neighbour, tied, row]);
  expect(runs).toEqual([
    { owner: other, start: 0, count: 8 },
    { owner: weight, start: 0, count: 8 },
    { owner: neighbour, start: 8, count: 8 },
  ]);
  expect(runOf.get(tied)).toBe(runOf.get(weight));
  expect(runOf.get(row)).toBe(runOf.get(weight));
});

test('one storage seen with two dtypes gives two records', () => {
  expect(placeTensors([tensor(1, 0, [4], [1]), tensor(1, 0, [4], [1], 'int32')]).runs).toHaveLength(2);
});

test('every tensor lies within its run, and runs of a storage do not overlap', () => {
  const any = fc.record({
    storage: fc.bigInt(0n, 2n),
    dtype: fc.constantFrom('float32', 'int64'),
    offset: fc.nat(40),
    shape: fc.tuple(fc.nat(3), fc.nat(3)).map((shape) => [...shape]),
    stride: fc.tuple(fc.nat(6), fc.nat(6)).map((stride) => [...stride]),
  });
  fc.assert(
    fc.property(fc.array(any, { maxLength: 20 }), (tensors) => {
      const { runs, runOf } = placeTensors(tensors);
      for (const one of tensors) {
        const run = runOf.get(one)!;
        expect(run.owner).toMatchObject({ storage: one.storage, dtype: one.dtype });
        expect(one.offset).toBeGreaterThanOrEqual(run.start);
        expect(one.offset + span(one)).toBeLessThanOrEqual(run.start + run.count);
      }
      for (const a of runs) {
        for (const b of runs) {
          const apart =
            a === b ||
            a.owner.storage !== b.owner.storage ||
            a.owner.dtype !== b.owner.dtype ||
            a.count === 0 ||
            b.count === 0;
          if (!apart) expect(a.start + a.count <= b.start || b.start + b.count <= a.start).toBe(true);
        }
      }
    }),
  );
});
