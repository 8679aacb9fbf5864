import { CleanclipError } from '../../src/errors';
import { torch } from '../../src/torch';
import { addon } from '../../src/torch/addon';

function errorOf(call: () => unknown): CleanclipError {
  try {
    call();
  } catch (error) {
    return error as CleanclipError;
  }
  throw new Error('nothing was thrown');
}

const a = torch.ones([2, 2]);

test.each<[string, () => unknown, string]>([
  [
    'shapes',
    () => a.add(torch.ones([3])),
    'The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 1.',
  ],
  ['a view', () => a.view([5]), "shape '[5]' is invalid for input of size 4."],
  ['an index', () => a.index_select(0, torch.tensor([5n])), 'index out of range in self.'],
  ['a layout', () => a.to_sparse().tril(), "Could not run 'aten::tril' with arguments from the 'SparseCPU' backend."],
  ['a singular matrix', () => torch.zeros([2, 2]).inverse(), 'The diagonal element 1 is zero'],
])('%s: one line with code ERR_TORCH', (_, call, message) => {
  const error = errorOf(call);
  expect(error).toBeInstanceOf(CleanclipError);
  expect([error.name, error.code]).toEqual(['CleanclipError', 'ERR_TORCH']);
  expect(error.message).toContain(message);
  expect(error.message).toMatch(/^[^\n]*[.!?]$/);
});

test('what a caller gave is repeated shortened, and with its NUL', () => {
  const message = (name: string) =>
    errorOf(() => a.to({ dtype: name as 'int8' })).message + errorOf(() => a.to({ device: name })).message;
  expect(message('a\0b')).toMatch(/^'a\\x00b' is not a dtype; .*'a\\x00b' is not a device; /);
  expect(message('y'.repeat(1e6)).length).toBeLessThan(1000);
  expect(errorOf(() => torch.einsum('ä'.repeat(1e6), [a])).message.length).toBeLessThan(2000);
});

test('no message tells of C++ sources, traces or PyTorch developers', () => {
  const calls = [
    () => a.to_sparse().conv2d(a),
    () => torch.zeros([2 ** 45]),
    () => torch.quantize_per_tensor(a, 0, 0, 'float32'),
    () => torch.ops.c10d.barrier(a, null as never, []),
    () => torch._cudnn_rnn_flatten_weight([a], 1, 1, 1, 1, 1, 1, false, false),
    () => a.tensor_split(2 ** 50),
    () => a.repeat([2 ** 40, 2 ** 40]),
  ];
  for (const call of calls) {
    const { message, code } = errorOf(call);
    expect(code).toMatch(/^ERR_TORCH/);
    expect(message).not.toMatch(/\.(cpp|cc|h):\d|0x[0-9a-f]{6}|frame #|Exception raised|enforce fail|report|\n/);
  }
});

test('memory has a code of its own', () => {
  const error = errorOf(() => torch.zeros([2 ** 45]));
  expect([error.code, error.message]).toEqual([
    'ERR_TORCH_OOM',
    `There is not enough memory: the operation asked for ${2 ** 47} bytes.`,
  ]);
});

describe('operators that are unsafe by nature', () => {
  test.each([
    'aten::_stack',
    'aten::embedding_dense_backward',
    'aten::tanh_backward',
    'aten::glu_jvp',
    'aten::_scaled_dot_product_attention_math',
    'inductor::_alloc_from_pool',
    'quantized::linear',
  ])('%s is refused with the reason', (name) => {
    const [namespace, operator] = name.split('::') as ['aten', 'stack'];
    expect(() => torch.ops[namespace][operator]([])).toThrow(new RegExp(`^${name} is refused: it .*\\.$`));
  });

  test('autograd calls its own steps all the same', () => {
    const x = torch.tensor([0], { requiresGrad: true });
    x.tanh().sum().backward();
    expect(x.grad?.toArray()).toEqual([1]);
  });

  test('are few, and have no types', () => {
    const schemas = addon()
      .operatorSchemas()
      .filter((schema) => schema.startsWith('aten::'));
    const callable = new Set(schemas.map((schema) => /^\w+::\w+/.exec(schema)?.[0]));
    const all = addon()
      .operatorNames()
      .filter((name) => name.startsWith('aten::'));
    expect(callable.size / all.length).toBeGreaterThan(0.8);
    expect(callable).not.toContain('aten::_stack');
    expect([...callable].filter((name) => name?.includes('_backward'))).toEqual(['aten::_backward']);
  });
});

describe('arguments that libtorch would not survive', () => {
  test.each<[string, () => unknown, string]>([
    [
      'a polynomial of a huge degree',
      () => torch.special_hermite_polynomial_h(a, 2 ** 40),
      'takes a degree n of at most 100,000',
    ],
    ['a matrix to the least power', () => torch.matrix_power(a, -(2n ** 63n)), 'takes a larger n'],
    [
      'pivots that point outside',
      () => torch.lu_unpack(a, torch.tensor([1, 9], { dtype: 'int32' })),
      'takes pivots of the shape and in the range',
    ],
    ['an integer range without a step', () => torch.range(0, 2, 0.5, { dtype: 'int64' }), 'takes a step of at least 1'],
    [
      'an mkldnn tensor where none is read',
      () => a.index_copy_(0, torch.tensor([0n]), a.to_mkldnn()),
      'takes no mkldnn or sparse_csr tensors; call to_dense()',
    ],
    [
      'a file that is too short',
      () => torch.from_file(__filename, false, 2 ** 40),
      'takes a file with at least `size` elements',
    ],
    ['a file to write', () => torch.from_file('new.bin', true, 4), 'maps files for reading only'],
    [
      'a scale that does not fit',
      () => torch._upsample_bicubic2d_aa(torch.ones([1, 1, 4, 4]), [2, 2], false, 1e-5, 1e-5),
      'scale',
    ],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(
      expect.objectContaining({ code: 'ERR_TORCH', message: expect.stringContaining(message) as string }),
    );
  });

  test('and the same arguments within their bounds work', () => {
    expect(torch.special_hermite_polynomial_h(a, 2).toArray()).toEqual([
      [2, 2],
      [2, 2],
    ]);
    expect(torch.matrix_power(a, 2).toArray()).toEqual([
      [2, 2],
      [2, 2],
    ]);
    const [lu, pivots] = torch.linalg_lu_factor(
      torch.tensor([
        [1, 2],
        [3, 4],
      ]),
    );
    const [p, l, u] = torch.lu_unpack(lu, pivots);
    expect((p.mm(l).mm(u).toArray() as number[][]).flat().map(Math.round)).toEqual([1, 2, 3, 4]);
    expect(torch.range(0, 2, 1, { dtype: 'int64' }).toArray()).toEqual([0, 1, 2]);
    expect(torch.from_file(__filename, false, 6, { dtype: 'uint8' }).toArray()).toEqual([...Buffer.from('import')]);
    expect(torch._upsample_bicubic2d_aa(torch.ones([1, 1, 4, 4]), [2, 2], false, 0.5, 0.5).shape).toEqual([1, 1, 2, 2]);
    expect(a.to_mkldnn().to_dense().toArray()).toEqual([
      [1, 1],
      [1, 1],
    ]);
  });
});
