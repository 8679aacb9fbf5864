import { torch } from '../../src/torch';

test('the same seed gives the same numbers', () => {
  torch.manualSeed(7);
  const first = torch.randn([5]).toArray();
  expect(torch.randn([5]).toArray()).not.toEqual(first);
  torch.manualSeed(7n);
  expect(torch.randn([5]).toArray()).toEqual(first);
});

test('a generator is apart from the process-wide one', () => {
  torch.manualSeed(1);
  const plain = torch.rand([2]).toArray();
  torch.manualSeed(1);
  const generator = new torch.Generator(1);
  expect(torch.rand([2], { generator }).toArray()).toEqual(plain);
  expect(torch.rand([2]).toArray()).toEqual(plain);
  expect(
    torch
      .empty([2])
      .uniform_({ generator: new torch.Generator(1) })
      .toArray(),
  ).toEqual(plain);
});

test('a state can be kept and put back', () => {
  const generator = new torch.Generator(3);
  torch.randn([3], { generator });
  const state = torch.getRngState(generator);
  const next = torch.randn([3], { generator }).toArray();
  torch.setRngState(state, generator);
  expect(torch.randn([3], { generator }).toArray()).toEqual(next);

  const whole = torch.getRngState();
  const drawn = torch.rand([3]).toArray();
  torch.setRngState(whole);
  expect(torch.rand([3]).toArray()).toEqual(drawn);
});

test.each<[string, () => unknown]>([
  ['a seed that is no integer', () => torch.manualSeed(1.5)],
  ['a seed of NaN', () => new torch.Generator(NaN)],
  ['a seed beyond 64 bits', () => torch.manualSeed(2n ** 64n)],
  ['a string', () => torch.manualSeed('1' as unknown as number)],
])('%s is refused', (_, call) => {
  expect(call).toThrow('A seed is an integer from -9223372036854775808 to 18446744073709551615');
});

test('the largest and the negative seeds are those of Python', () => {
  expect(() => torch.manualSeed(2n ** 64n - 1n)).not.toThrow();
  torch.manualSeed(-1);
  const negative = torch.rand([1]).item();
  torch.manualSeed(2n ** 64n - 1n);
  expect(torch.rand([1]).item()).toBe(negative);
});

test('a state that is none', () => {
  expect(() => torch.setRngState(torch.zeros([3], { dtype: 'uint8' }))).toThrow(
    expect.objectContaining({ code: 'ERR_TORCH' }),
  );
  expect(() => torch.setRngState(torch.zeros([3]))).toThrow('RNG state must be a torch.ByteTensor');
  expect(() => torch.rand([1], { generator: {} as never })).toThrow('aten::rand does not take');
});
