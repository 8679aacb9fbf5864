// JavaScript values of wrong kinds: each is refused by a sentence with a code.
import { CleanclipError } from '../../src/errors';
import { torch } from '../../src/torch';

const one = torch.ones([2]);
const transferred = (): Float32Array => {
  const array = new Float32Array(4);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
};
const cyclic: unknown[] = [];
cyclic.push(cyclic);
const wrong = (value: unknown): never => value as never;

test.each<[string, () => unknown, string]>([
  ['a list whose memory was transferred', () => one.view(wrong(transferred())), 'has lost its memory'],
  [
    'a DataView as a list',
    () => one.view(wrong(new DataView(new ArrayBuffer(8)))),
    'an array or a typed array of at most 1,048,576 elements',
  ],
  ['a long typed array as a list', () => one.view(wrong(new Int8Array(2 ** 20 + 1))), 'at most 1,048,576 elements'],
  ['a bigint beyond 64 bits', () => one.add(2n ** 70n), 'outside the range of a 64-bit integer'],
  ['a symbol', () => one.add(wrong(Symbol('x'))), 'does not take (Tensor, object)'],
  ['a list that holds itself', () => one.view(wrong(cyclic)), 'nested too deeply'],
  [
    'a tensor that was disposed',
    () => {
      const gone = torch.ones([1]);
      gone.dispose();
      return one.add(gone);
    },
    'disposed',
  ],
  ['data whose memory was transferred', () => torch.tensor(transferred(), { shape: [4] }), 'but the data has 0 bytes'],
  ['data in a DataView', () => torch.tensor(new DataView(new ArrayBuffer(8))), 'came as DataView'],
  ['a shape that is no list', () => torch.tensor([1], { shape: wrong(1) }), 'must be an array of integers'],
  ['a shape of symbols', () => torch.tensor([1], { shape: wrong([Symbol('x')]) }), 'must be an array of integers'],
  [
    'options that are null',
    () => torch.tensor([1], wrong(null)),
    "an object such as { dtype: 'int64' }, but null came",
  ],
  ['options of a factory that are a number', () => torch.zeros([1], wrong(5)), 'but number came'],
  ['no dtype', () => one.to(wrong(undefined)), 'takes a dtype, a device, or an object'],
  ['no function', () => torch.tidy(wrong(5)), 'torch.tidy takes a function, but number came'],
  ['no function for noGrad', () => torch.noGrad(wrong(null)), 'torch.noGrad takes a function, but null came'],
  ['no tensor to keep', () => torch.keep(wrong(undefined)), 'torch.keep takes a Tensor, but undefined came'],
  [
    'no number of threads',
    () => torch.setNumThreads(wrong([Symbol('x')])),
    'The number of threads must be an integer from 1',
  ],
  ['no tensor to share', () => torch.share(wrong(null)), 'torch.share takes a Tensor, but null came'],
  ['a token that is none', () => torch.take(wrong(Symbol('x'))), 'token must be an integer from 0'],
  ['a gradient that is no tensor', () => (one.grad = wrong(5)), 'grad takes a Tensor'],
  ['options of backward that are null', () => one.backward(wrong(null)), 'backward takes an object of options'],
  ['a gradient that is not in the options of backward', () => one.backward(wrong(one)), 'such as { gradient }'],
])('%s', (_, call, message) => {
  expect(call).toThrow(CleanclipError);
  expect(call).toThrow(
    expect.objectContaining({ code: 'ERR_TORCH', message: expect.stringContaining(message) as string }),
  );
});

test("what a caller's getter throws comes through", () => {
  const own = new Error('mine');
  const options = Object.defineProperty({}, 'dim', {
    enumerable: true,
    get: () => {
      throw own;
    },
  });
  expect(() => one.sum(wrong(options))).toThrow(own);
});

test('memory that threads share or that can grow is copied', () => {
  const shared = new Int32Array(new SharedArrayBuffer(8));
  shared.set([3, 4]);
  expect(torch.tensor(shared).toArray()).toEqual([3, 4]);
  expect(one.expand(new Int32Array([3, 2])).shape).toEqual([3, 2]);
  expect(torch.tensor([1, 2], { shape: wrong(new Int32Array([2, 1])) }).shape).toEqual([2, 1]);
});
