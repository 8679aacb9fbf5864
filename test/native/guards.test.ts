// Arguments that libtorch would not survive are refused; the same within their bounds give what libtorch gives without
// a guard.
import { type Tensor, torch } from '../../src/torch';

const int64 = (values: number[]): Tensor => torch.tensor(values, { dtype: 'int64' });
const int32 = (values: number[]): Tensor => torch.tensor(values, { dtype: 'int32' });
const { aten } = torch.ops;

const weight = torch.tensor([
  [1, 2],
  [3, 4],
  [5, 6],
]);
const data = torch.tensor([
  [1, 2],
  [3, 4],
  [5, 6],
  [7, 8],
]);
const bags = (indices: Tensor, offsets: Tensor, mode = 0, scales: Tensor | null = null, withLast = false): Tensor =>
  aten.embedding_bag(weight, indices, offsets, false, mode, false, scales, withLast)[0];
const mkldnn = torch.ones([2, 3]).to_mkldnn();
const symmetric = torch.tensor([
  [4, 1, 0],
  [1, 3, 1],
  [0, 1, 2],
]);
const grid = (value: number): Tensor => torch.full([1, 1, 2, 2], value, { requiresGrad: true });
const image = torch.ones([1, 1, 3, 3]);
const quantized = torch.quantize_per_tensor(image, 0.5, 3, 'quint8');

describe('refused', () => {
  test.each<[string, () => unknown, string]>([
    [
      'an index of a bag beyond the weight',
      () => bags(int64([0, 3]), int64([0])),
      'indices of at least 0 and below the weight',
    ],
    ['an index below 0', () => bags(int64([0, -1]), int64([0])), 'indices of at least 0'],
    [
      '2-dimensional offsets',
      () => bags(int64([0, 1]), int64([0, 1]).view([1, 2])),
      '1-dimensional indices and offsets',
    ],
    ['2-dimensional indices', () => bags(int64([0, 1]).view([1, 2]), int64([0])), '1-dimensional indices and offsets'],
    ['offsets that fall', () => bags(int64([0, 1, 2]), int64([0, 2, 1])), 'offsets that start at 0, never fall'],
    ['offsets beyond the indices', () => bags(int64([0, 1, 2]), int64([0, 900])), 'offsets that start at 0'],
    ['no offset for indices', () => bags(int64([1]), int64([]), 2), 'offsets that start at 0'],
    ['offsets that start late', () => bags(int64([0, 1, 2]), int64([1, 2])), 'offsets that start at 0'],
    ['no offset where the last is included', () => bags(int64([0]), int64([]), 0, null, true), 'at least one offset'],
    [
      'too few scales',
      () => bags(int64([0, 1]), int64([0]), 0, torch.ones([1])),
      "per_sample_weights of the indices' shape",
    ],
    [
      'scales of another dtype',
      () => bags(int64([0]), int64([0]), 0, torch.ones([1], { dtype: 'float64' })),
      'per_sample_weights',
    ],
    ['an unknown mode', () => bags(int64([0]), int64([0]), 7), 'a mode of 0 (sum), 1 (mean) or 2 (max)'],
    [
      'indices without a bag',
      () => bags(int64([0, 1]), int64([0]), 0, null, true),
      'no indices where the offsets make no bag',
    ],
    [
      'eigenvalues of infinity',
      () => aten.linalg_eigvals(torch.full([8, 8], -Infinity)),
      'a matrix without infinity and NaN',
    ],
    ['eigenvalues of NaN', () => aten.linalg_eigvals(torch.full([2, 3, 3], NaN)), 'a matrix without infinity and NaN'],
    [
      'gelss of nothing',
      () => aten.linalg_lstsq(torch.ones([3, 3]), torch.ones([3, 0]), null, { driver: 'gelss' }),
      'a b that is not empty',
    ],
    [
      'a scale far from the sizes of a quantized image',
      () => aten.upsample_bilinear2d(quantized, [2, 2], false, null, 1e-5),
      "scales equal to the output's size divided by the input's",
    ],
    [
      'a scale of NaN',
      () => aten._upsample_bilinear2d_aa(image, [2, 2], false, NaN),
      "scales equal to the output's size divided by the input's",
    ],
    [
      'a median along what is expanded',
      () => aten.median(torch.tensor([[5, 7]]).expand([3, 2]), 0),
      'not expanded along dim',
    ],
    [
      'distances of no rows with a gradient',
      () => aten.pdist(torch.ones([0, 4], { requiresGrad: true })),
      'at least one row',
    ],
    [
      'a gradient of factors that are not unpacked',
      () => aten.lu_unpack(torch.ones([3, 3], { requiresGrad: true }), int32([1, 2, 3]), false),
      'unpack_data = true where its gradient is recorded',
    ],
    [
      'a step of linear with a weight that does not fit',
      () => aten.mkldnn_linear(mkldnn, torch.ones([1, 2, 3])),
      'that fit an mkldnn input',
    ],
    [
      'a vector beside a compressed sparse matrix',
      () => aten.mv(weight.to_sparse_csc(), torch.ones([2])),
      'call unsqueeze(1), and mm()',
    ],
    ['a quantized tensor seen as another dtype', () => aten.view(quantized, 'bfloat16'), 'call int_repr() first'],
    [
      'lengths that do not add up',
      () => aten.segment_reduce(data, 'sum', { lengths: int64([1, 2]), unsafe: true }),
      "add up to the data's size along the axis, 4",
    ],
    [
      'a negative length',
      () => aten.segment_reduce(data, 'sum', { lengths: int64([-1, 5]), unsafe: true }),
      'lengths that add up',
    ],
    [
      'offsets of segments outside',
      () => aten.segment_reduce(data, 'sum', { offsets: int64([0, 9]) }),
      'offsets that never fall',
    ],
    [
      'a count of draws that is NaN',
      () => aten.binomial(torch.tensor([1, NaN]), torch.tensor([0.5])),
      'counts that are numbers',
    ],
    ['a rate beyond int64', () => aten.poisson(torch.tensor([Infinity])), 'rates of at most 2^62'],
    [
      'pivots outside, unpacked',
      () => aten.lu_unpack(symmetric, int32([1, 2, 900_000])),
      'pivots of the shape and in the range',
    ],
    [
      'half a pair of pivots',
      () => aten.linalg_ldl_solve(symmetric, int32([1, 2, -3]), torch.ones([3, 1])),
      'pivots as ldl_factor gives them',
    ],
    [
      'a pivot of 0',
      () => aten.linalg_ldl_solve(symmetric, int32([0, 2, 3]), torch.ones([3, 1])),
      'pivots as ldl_factor gives them',
    ],
    [
      'a quantized `out` of nothing',
      () => aten.cat([], { out: torch.quantize_per_tensor(torch.ones([2]), 0.5, 1, 'qint8') }),
      'takes no quantized `out`',
    ],
    [
      'an mkldnn `out` of ordinary tensors',
      () => aten.cat([weight], { out: torch.ones([2]).to_mkldnn() }),
      'takes no mkldnn',
    ],
    ['a weight that does not fit mkldnn', () => aten.linear(mkldnn, torch.ones([4, 5])), 'that fit an mkldnn input'],
    [
      'a bias that does not fit mkldnn',
      () => aten.linear(mkldnn, torch.ones([4, 3]), torch.ones([2])),
      'that fit an mkldnn input',
    ],
    [
      'the least of nothing',
      () => aten.fbgemm_linear_quantize_weight(torch.ones([0, 3])),
      'a matrix that is not empty',
    ],
    [
      'a flat weight that is not of the kernel',
      () =>
        aten.slow_conv3d_forward(
          torch.ones([1, 3, 8, 5, 8]),
          torch.ones([2, 3]),
          [2, 1, 1],
          null,
          [1, 1, 1],
          [0, 0, 0],
        ),
      'a flat weight',
    ],
    [
      'a size that libtorch takes for a symbol',
      () => aten.as_strided(torch.ones([4]), [-(2n ** 63n)], [1]),
      'a size is at least -2^62',
    ],
    [
      "a kernel_size that is not the weight's",
      () => aten.slow_conv_transpose2d(torch.ones([1, 2, 3, 3]), torch.ones([2, 4, 1, 3]), [17, 4]),
      'the kernel_size that its weight has',
    ],
    [
      'lists of other lengths',
      () => aten._foreach_addcdiv_([image], [image], [torch.ones([1], { requiresGrad: true })], []),
      'lists of equal lengths',
    ],
    [
      'labels beyond the classes',
      () => aten.ctc_loss(torch.zeros([4, 1, 3]), int64([1, 7]).view([1, 2]), [4], [2]),
      'targets of at least 0 and below the number of classes, 3',
    ],
    [
      'a grid of NaN whose gradient is folded',
      () => aten.grid_sampler(image, grid(NaN), 0, 1, false),
      'a grid of finite numbers',
    ],
    [
      'a grid of Infinity whose gradient is folded',
      () => aten.grid_sampler(image, grid(Infinity), 0, 2, false),
      'a grid of finite numbers',
    ],
    [
      'indices of a sparse tensor outside',
      () => torch.sparse_coo_tensor(int64([100_000]).view([1, 1]), torch.ones([1]), [2]),
      'size is inconsistent with indices',
    ],
    [
      'an assertion whose message is empty',
      () => aten._functional_assert_scalar(0, '\0', image),
      'libtorch failed without saying why.',
    ],
    [
      'columns of a sparse_csr tensor outside',
      () => torch.sparse_csr_tensor(int64([0, 1]), int64([99]), torch.ones([1]), [1, 2]),
      'col_indices',
    ],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(
      expect.objectContaining({ code: 'ERR_TORCH', message: expect.stringContaining(message) as string }),
    );
  });
});

describe('within the bounds', () => {
  const indices = int64([0, 2, 1, 1]);

  test.each<[string, () => Tensor, unknown]>([
    [
      'sums of bags, one empty',
      () => bags(indices, int64([0, 2, 2])),
      [
        [6, 8],
        [0, 0],
        [6, 8],
      ],
    ],
    [
      'means of bags',
      () => bags(indices, int64([0, 3]), 1),
      [
        [3, 4],
        [3, 4],
      ],
    ],
    [
      'the largest of bags',
      () => bags(indices, int64([0, 3]), 2),
      [
        [5, 6],
        [3, 4],
      ],
    ],
    ['scaled bags of int32', () => bags(int32([0, 1]), int32([0]), 0, torch.tensor([10, 1])), [[13, 24]]],
    [
      'bags with the last offset',
      () => bags(indices, int64([0, 1, 4]), 0, null, true),
      [
        [1, 2],
        [11, 14],
      ],
    ],
    ['no bag', () => bags(int64([]), int64([])), []],
    [
      'only empty bags',
      () => bags(int64([]), int64([0, 0])),
      [
        [0, 0],
        [0, 0],
      ],
    ],
    [
      'segments by lengths',
      () => aten.segment_reduce(data, 'sum', { lengths: int64([1, 3]), unsafe: true }),
      [
        [1, 2],
        [15, 18],
      ],
    ],
    [
      'segments by offsets that leave rows out',
      () => aten.segment_reduce(data, 'max', { offsets: int64([0, 1, 3]) }),
      [
        [1, 2],
        [5, 6],
      ],
    ],
    ['draws of sure events', () => aten.binomial(torch.tensor([5, 7, 3]), torch.tensor([1, 0, 1])), [5, 0, 3]],
    ['a probability that is NaN', () => aten.binomial(torch.tensor([5]), torch.tensor([NaN])), [NaN]],
    [
      'labels that are padded',
      () =>
        aten
          .ctc_loss(torch.zeros([4, 1, 3]).log_softmax(-1), int64([1, -100]).view([1, 2]), [1], [1])
          .mul(1000)
          .round(),
      1099,
    ],
    ['a rate of 0', () => aten.poisson(torch.zeros([2])), [0, 0]],
    [
      'linear on mkldnn',
      () => aten.linear(mkldnn, torch.ones([4, 3]), torch.ones([4])).to_dense(),
      [
        [4, 4, 4, 4],
        [4, 4, 4, 4],
      ],
    ],
    [
      'a grid of Infinity without gradient',
      () => aten.grid_sampler(image, torch.full([1, 1, 2, 2], Infinity), 0, 1, false),
      [[[[1, 1]]]],
    ],
    ['a median beside what is expanded', () => aten.median(torch.tensor([[5], [7], [6]]).expand([3, 2]), 0)[0], [6, 6]],
    ['eigenvalues', () => aten.linalg_eigvals(torch.eye(2)).abs(), [1, 1]],
    ['a quantized image', () => aten.upsample_bilinear2d(quantized, [6, 6], false, 2, 2).int_repr().amax(), 5],
    [
      'a column beside a compressed sparse matrix',
      () => aten.mm(weight.to_sparse_csr(), torch.ones([2, 1])),
      [[3], [7], [11]],
    ],
    [
      'a sparse tensor',
      () => torch.sparse_coo_tensor(int64([1]).view([1, 1]), torch.ones([1]), [2]).to_dense(),
      [0, 1],
    ],
  ])('%s', (_, call, expected) => {
    expect(call().toArray()).toEqual(expected);
  });

  test('systems are solved by their factors', () => {
    const right = torch.tensor([[5], [5], [3]]);
    const [ld, pivots] = aten.linalg_ldl_factor(symmetric);
    const [lu, luPivots] = aten.linalg_lu_factor(symmetric);
    const rounded = (solution: Tensor): number[] => (solution.view([-1]).toArray() as number[]).map(Math.round);
    expect(rounded(aten.linalg_ldl_solve(ld, pivots, right))).toEqual([1, 1, 1]);
    expect(rounded(aten.linalg_lu_solve(lu, luPivots, right))).toEqual([1, 1, 1]);
    // A zero diagonal gives a block of two rows: its pivots are negative.
    const [block, pair] = aten.linalg_ldl_factor(
      torch.tensor([
        [0, 1],
        [1, 0],
      ]),
    );
    expect(pair.toArray()).toEqual([-2, -2]);
    expect(rounded(aten.linalg_ldl_solve(block, pair, torch.tensor([[2], [3]])))).toEqual([3, 2]);
  });

  test('a bag of gradients', () => {
    const leaf = torch.ones([3, 2], { requiresGrad: true });
    aten
      .embedding_bag(leaf, int64([0, 2, 0]), int64([0, 2]))[0]
      .sum()
      .backward();
    expect(leaf.grad?.toArray()).toEqual([
      [2, 2],
      [0, 0],
      [1, 1],
    ]);
  });
});

test('a tensor that memory ran out for is empty, and reads nothing', () => {
  const out = torch.empty([0]);
  const large = torch.ones([2 ** 20]).expand([2 ** 20, 2 ** 20]);
  expect(() => aten.add(large, torch.ones([1]), { out })).toThrow(expect.objectContaining({ code: 'ERR_TORCH_OOM' }));
  expect(out.toArray()).toEqual([]);
  expect(() => out.resize_([2 ** 45])).toThrow(expect.objectContaining({ code: 'ERR_TORCH_OOM' }));
  expect([out.shape, out.sum().item()]).toEqual([[0], 0]);
});
