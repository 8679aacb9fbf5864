import { type Tensor, torch } from '../../src/torch';
import { addon } from '../../src/torch/addon';

const a = torch.tensor([
  [1, 2],
  [3, 4],
]);

describe('an operator is reached', () => {
  test('three ways', () => {
    const expected = [
      [2, 4],
      [6, 8],
    ];
    expect(torch.ops.aten.add(a, a).toArray()).toEqual(expected);
    expect(torch.add(a, a).toArray()).toEqual(expected);
    expect(a.add(a).toArray()).toEqual(expected);
  });

  test('in every namespace', () => {
    expect(torch.ops._c10d_functional.wait_tensor(a).toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  test('by its name alone: another is an error, or undefined', async () => {
    expect(() => torch.ops.aten['nothing' as 'add']).toThrow(/^libtorch 2\.\S+ has no operator 'aten::nothing'\.$/);
    expect(torch['nothing' as 'add']).toBeUndefined();
    expect(await (torch as unknown)).toBe(torch);
  });

  test('whatever it is named: there are more than 1,800', () => {
    const names = addon().operatorNames();
    expect(names.length).toBeGreaterThan(1800);
    expect(names.filter((name) => addon().findOperator(name) < 0)).toEqual([]);
  });
});

describe('overloads are chosen by the arguments', () => {
  test('a tensor or a number', () => {
    expect(a.add(1).toArray()).toEqual([
      [2, 3],
      [4, 5],
    ]);
    expect(a.add(a, { alpha: 2 }).toArray()).toEqual([
      [3, 6],
      [9, 12],
    ]);
    expect(a.pow(2).toArray()).toEqual([
      [1, 4],
      [9, 16],
    ]);
    expect(torch.pow(2, a).toArray()).toEqual([
      [2, 4],
      [8, 16],
    ]);
    expect(a.mul(true).toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  test('an integer stays one, and bigints are integers', () => {
    const ints = torch.tensor([1n]);
    expect([ints.add(1).dtype, ints.add(1.5).dtype, ints.add(2n).toArray()]).toEqual(['int64', 'float32', [3]]);
  });

  test('sum: all, some dimensions, with keywords', () => {
    expect(a.sum().item()).toBe(10);
    expect(a.sum([0]).toArray()).toEqual([4, 6]);
    expect(a.sum(0).toArray()).toEqual([4, 6]);
    expect(a.sum([0], true).toArray()).toEqual([[4, 6]]);
    expect(a.sum({ dim: [1], keepdim: true }).toArray()).toEqual([[3], [7]]);
    expect(a.sum({ dtype: 'float64' }).dtype).toBe('float64');
  });

  test('max: all, by dimension, of two', () => {
    expect(a.max().item()).toBe(4);
    const [values, indices] = a.max(1);
    expect([values.toArray(), indices.toArray()]).toEqual([
      [2, 4],
      [1, 1],
    ]);
    expect(a.max(a.t()).toArray()).toEqual([
      [1, 3],
      [3, 4],
    ]);
  });

  test('std: unbiased or with a correction', () => {
    expect(a.std().item()).toBeCloseTo(1.290994, 6);
    expect(a.std(false).item()).toBeCloseTo(1.118034, 6);
    expect((a.std([0], { correction: 0 }).toArray() as number[])[0]).toBeCloseTo(1, 6);
  });

  test('clamp: numbers, tensors, null', () => {
    expect(a.clamp(2, 3).toArray()).toEqual([
      [2, 2],
      [3, 3],
    ]);
    expect(a.clamp(null, 3).toArray()).toEqual([
      [1, 2],
      [3, 3],
    ]);
    expect(a.clamp({ max: 2 }).toArray()).toEqual([
      [1, 2],
      [2, 2],
    ]);
    expect(a.clamp(torch.tensor(2)).toArray()).toEqual([
      [2, 2],
      [3, 4],
    ]);
  });

  test('where: a condition alone, tensors, numbers', () => {
    const large = a.gt(2);
    expect(torch.where(large, a, 0).toArray()).toEqual([
      [0, 0],
      [3, 4],
    ]);
    expect(torch.where(large, 1, 0).toArray()).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect(torch.where(large, a, a.neg()).toArray()).toEqual([
      [-1, -2],
      [3, 4],
    ]);
    expect(torch.where(large).map((rows) => rows.toArray())).toEqual([
      [1, 1],
      [0, 1],
    ]);
  });

  test('index takes tensors and null', () => {
    expect(a.index([null, torch.tensor([1n])]).toArray()).toEqual([[2], [4]]);
    expect(a.index([torch.tensor([0n, 0n])]).toArray()).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(() => torch.cat([a, 1 as unknown as Tensor])).toThrow('A list of tensors holds tensors and null only');
    expect(() => torch.cat([a, null as unknown as Tensor])).toThrow('aten::cat does not take (Tensor[]');
  });

  test('results in several forms', () => {
    expect(a.split(1).map((part) => part.toArray())).toEqual([[[1, 2]], [[3, 4]]]);
    expect(torch.equal(a, a)).toBe(true);
    expect(a.size(0)).toBe(2);
    expect(torch.result_type(a, torch.tensor([1n]))).toBe('float32');
    expect(torch.native_layer_norm(a, [2], null, null, 1e-5)).toHaveLength(3);
    expect(torch._foreach_add_([torch.zeros([1])], 1)).toBeUndefined();
  });
});

describe('arguments', () => {
  test('typed arrays stand for lists', () => {
    expect(a.view(Int32Array.of(4)).shape).toEqual([4]);
    expect(a.permute(BigInt64Array.of(1n, 0n)).toArray()).toEqual([
      [1, 3],
      [2, 4],
    ]);
  });

  test('one number stands for both of int[2], and a list has as many', () => {
    const image = torch.arange(16, { dtype: 'float32' }).reshape([1, 1, 4, 4]);
    expect(torch.max_pool2d(image, 2).toArray()).toEqual([
      [
        [
          [5, 7],
          [13, 15],
        ],
      ],
    ]);
    expect(torch.max_pool2d(image, [2, 1]).shape).toEqual([1, 1, 2, 4]);
    expect(() => torch.max_pool2d(image, [2, 2, 2])).toThrow('aten::max_pool2d does not take (Tensor, number[])');
  });

  test('undefined keywords are left out', () => {
    expect(a.sum({ dtype: 'float64', dim: undefined } as object).toArray()).toBe(10);
  });

  test('dtype, layout, device and memory format go by name', () => {
    expect(torch.zeros_like(a, { dtype: 'bool' }).dtype).toBe('bool');
    expect(torch.empty_like(a, { device: 'meta' }).device).toBe('meta');
    expect(torch.zeros([1, 2, 2, 2]).contiguous({ memory_format: 'channels_last' }).strides).toEqual([8, 1, 4, 2]);
    expect(() => a.contiguous({ memory_format: 'rows_last' as 'channels_last' })).toThrow(
      "'rows_last' is not a memory format; use one of contiguous_format",
    );
  });

  test.each<[string, () => unknown, string]>([
    ['a bigint beyond 64 bits', () => a.add(2n ** 63n), 'outside the range of a 64-bit integer'],
    ['an integer that is not exact', () => a.select(0, 2 ** 60), 'too large to be an exact integer'],
    [
      'a wrong type',
      () => a.add('1' as unknown as number),
      'aten::add does not take (Tensor, string); it takes aten::add.Tensor(',
    ],
    [
      'an unknown keyword',
      () => a.add(1, { beta: 2 } as object),
      'aten::add does not take (Tensor, number, beta: number)',
    ],
    ['too many', () => a.neg(...([1, 2] as unknown as [])), 'aten::neg does not take (Tensor, number, number)'],
    ['far too many', () => a.neg(...(Array.from({ length: 70 }, () => 1) as unknown as [])), 'more than 48 arguments'],
    ['a function', () => a.add((() => 1) as unknown as number), 'aten::add does not take (Tensor, object)'],
    ['a list that is endless', () => torch.zeros(new Array(2 ** 31) as number[]), 'more than 1,048,576 elements'],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(
      expect.objectContaining({ code: 'ERR_TORCH', message: expect.stringContaining(message) as string }),
    );
  });

  test('a bigint of 63 bits arrives whole', () => {
    expect(
      torch
        .tensor([0n])
        .add(2n ** 63n - 1n)
        .item(),
    ).toBe(2n ** 63n - 1n);
    expect(
      torch
        .tensor([0n])
        .sub(2n ** 62n)
        .item(),
    ).toBe(-(2n ** 62n));
  });
});

describe('in place', () => {
  test('the same object comes back', () => {
    const b = torch.ones([2]);
    expect(b.add_(1)).toBe(b);
    expect(b.toArray()).toEqual([2, 2]);
    expect(torch.relu_(b)).toBe(b);
  });

  test('the tensor given as out comes back', () => {
    const out = torch.empty([2, 2]);
    expect(torch.add(a, a, { out })).toBe(out);
    expect(out.toArray()).toEqual([
      [2, 4],
      [6, 8],
    ]);
  });

  test('a view changes with its base', () => {
    const base = torch.zeros([2, 2]);
    base.select(0, 1).fill_(7);
    expect(base.toArray()).toEqual([
      [0, 0],
      [7, 7],
    ]);
    expect(base.storageKey).toBe(base.t().storageKey);
    expect(base.storageKey).not.toBe(a.storageKey);
  });
});
