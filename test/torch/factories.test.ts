import { torch } from '../../src/torch';

test('factories default to float32 on the CPU', () => {
  for (const made of [
    torch.zeros([2]),
    torch.ones([2]),
    torch.empty([2]),
    torch.full([2], 3),
    torch.rand([2]),
    torch.randn([2]),
    torch.eye(2),
    torch.linspace(0, 1, 2),
  ]) {
    expect([made.dtype, made.device, made.requiresGrad]).toEqual(['float32', 'cpu', false]);
  }
});

test('they take dtype and requiresGrad', () => {
  expect(torch.zeros([1], { dtype: 'uint8' }).dtype).toBe('uint8');
  expect(torch.rand([1], { dtype: 'float64', requiresGrad: true }).requiresGrad).toBe(true);
  expect(torch.tensor([1, 2], { requiresGrad: true }).isLeaf).toBe(true);
  expect(() => torch.ones([1], { dtype: 'int64', requiresGrad: true })).toThrow('Only Tensors of floating point');
});

test('their values', () => {
  expect(torch.full([2], 3).toArray()).toEqual([3, 3]);
  expect(torch.full([1], true).toArray()).toEqual([true]);
  expect(torch.eye(2).toArray()).toEqual([
    [1, 0],
    [0, 1],
  ]);
  expect(torch.linspace(0, 1, 3).toArray()).toEqual([0, 0.5, 1]);
});

test('arange counts in int64, or float32 when a number is not whole', () => {
  expect([torch.arange(3).toArray(), torch.arange(3).dtype]).toEqual([[0, 1, 2], 'int64']);
  expect(torch.arange(1, 3).toArray()).toEqual([1, 2]);
  expect([torch.arange(0, 1, 0.25).toArray(), torch.arange(0, 1, 0.25).dtype]).toEqual([
    [0, 0.25, 0.5, 0.75],
    'float32',
  ]);
  expect(torch.arange(3, { dtype: 'float32' }).dtype).toBe('float32');
});

test('integers and permutations are int64', () => {
  expect([torch.randint(0, 5, [3]).dtype, torch.randperm(4).dtype]).toEqual(['int64', 'int64']);
  expect((torch.randperm(4).toArray() as number[]).sort()).toEqual([0, 1, 2, 3]);
});

test('shapes that cannot be', () => {
  expect(() => torch.zeros([-1])).toThrow('must be non-negative');
  expect(() => torch.zeros([1.5])).toThrow('aten::zeros does not take (number[]');
  expect(() => torch.zeros(3 as unknown as number[])).toThrow('aten::zeros does not take (number');
  expect(() => torch.zeros([2 ** 60])).toThrow(
    expect.objectContaining({ code: expect.stringMatching(/^ERR_TORCH/) as string }),
  );
});
