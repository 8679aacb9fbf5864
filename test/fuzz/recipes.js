// Arguments that belong together, for operators whose shapes random ones hardly meet: by name, parameters as source
// text.

const convolution =
  (dims, transposed = false) =>
  ({ pick, many, chance }, { tensorOf, text }) => {
    const groups = pick([1, 1, 1, 2]);
    const [n, ci, co] = [pick([0, 1, 2, 3]), groups * pick([1, 2, 3]), groups * pick([1, 2, 4])];
    const spatial = many(dims, () => pick([3, 4, 5, 8]));
    const kernel = many(dims, () => pick([1, 2, 3]));
    const weight = tensorOf(transposed ? [ci, co / groups, ...kernel] : [co, ci / groups, ...kernel]);
    const pair = (values) => text(many(dims, () => pick(values)));
    return {
      input: tensorOf([n, ci, ...spatial]),
      self: tensorOf([n, ci, ...spatial]),
      weight,
      bias: chance(0.5) ? 'null' : tensorOf([co]),
      stride: pair([1, 1, 2]),
      padding: pair([0, 0, 1]),
      dilation: pair([1, 1, 2]),
      groups: String(groups),
      kernel_size: text(kernel),
      transposed: String(transposed),
      output_padding: pair([0]),
    };
  };

const pool =
  (dims, more = {}) =>
  ({ pick, many }, { tensorOf, text }) => ({
    self: tensorOf([...pick([[], [1], [2], [0]]), pick([1, 2, 3]), ...many(dims, () => pick([2, 4, 5, 8]))]),
    kernel_size: text(many(dims, () => pick([1, 2, 2, 3]))),
    stride: text(many(dims, () => pick([1, 2]))),
    padding: text(many(dims, () => pick([0, 0, 1]))),
    dilation: text(many(dims, () => pick([1, 1, 2]))),
    output_size: text(many(dims, () => pick([0, 1, 2, 3, 7]))),
    ...more,
  });

const pad =
  (dims) =>
  ({ pick, many }, { tensorOf, text }) => ({
    self: tensorOf([...pick([[], [2], [0]]), pick([1, 3, 0]), ...many(dims, () => pick([1, 2, 4, 5]))]),
    padding: text(many(2 * dims, () => pick([0, 0, 1, 1, 2, 3, -1, -2]))),
  });

const upsample =
  (dims) =>
  ({ pick, many, chance }, { tensorOf, text }) => {
    const [from, to] = [many(dims, () => pick([1, 2, 4, 5])), many(dims, () => pick([1, 2, 3, 8]))];
    const scale = (i) => ({
      [`scales_${'dhw'[3 - dims + i]}`]: chance(0.7)
        ? 'null'
        : pick(['2', '0.5', '1e-5', 'NaN', '1e9', String(to[i] / from[i])]),
    });
    return {
      self: tensorOf([pick([0, 1, 2]), pick([1, 3]), ...from]),
      input: tensorOf([1, 2, ...from]),
      output_size: text(to),
      ...Object.assign({ scales: 'null' }, ...many(dims, scale)),
    };
  };

const square = ({ pick }, { tensorOf }) => {
  const batch = pick([[], [], [2], [0], [2, 1]]);
  const n = pick([0, 1, 2, 3, 4, 8]);
  const matrix = () => tensorOf([...batch, n, n]);
  return {
    self: matrix(),
    A: matrix(),
    input: matrix(),
    LU: matrix(),
    LD: matrix(),
    B: tensorOf([...batch, n, pick([1, 2, 3])]),
    b: tensorOf([n]),
  };
};

const factors = (draw, around) => {
  const { pick } = draw;
  const n = pick([1, 2, 3, 4, 8]);
  const batch = pick([[], [], [2], [0]]);
  const matrix = around.tensorOf([...batch, n, pick([n, n, n + 1, Math.max(1, n - 1)])]);
  const pivots = around.indices([...batch, n], n + 1, 'int32');
  const right = around.tensorOf([...batch, n, 2]);
  return { LU_data: matrix, LU_pivots: pivots, LU: matrix, LD: matrix, pivots, B: right, self: right };
};

const rows = (draw, around) => {
  const { pick } = draw;
  const { base, indices, related, tensorOf } = around;
  const dim = draw.below(Math.max(1, base.length));
  const at = base[dim] ?? 1;
  const shape = base.length > 0 && draw.chance(0.7) ? base.with(dim, pick([0, 1, 2, at])) : related();
  return {
    self: tensorOf(base),
    dim: String(dim),
    index: draw.chance(0.5) ? indices(shape, at) : indices([pick([0, 1, 2, 3])], at),
    src: tensorOf(shape),
    source: tensorOf(shape),
    reduce: `'${pick(['sum', 'mean', 'amax', 'amin', 'prod', 'add', 'multiply'])}'`,
  };
};

const bag = (draw, { tensorOf, indices, text }) => {
  const { pick, chance, many } = draw;
  const [words, width, count] = [pick([1, 2, 5, 10]), pick([1, 2, 4, 8, 17]), pick([0, 1, 3, 6])];
  const withLast = chance(0.4);
  const starts = many(pick([0, 1, 2, 4]), () => draw.below(count + 1)).sort((a, b) => a - b);
  if (starts.length > 0 && chance(0.9)) starts[0] = 0;
  if (withLast && chance(0.8)) starts.push(count);
  return {
    weight: tensorOf([words, width], pick(['float32', 'float32', 'float64', 'float16', 'bfloat16'])),
    indices: indices([count], words, pick(['int64', 'int64', 'int32'])),
    offsets: `t.tensor(${text(starts)},{dtype:'int64'})`,
    include_last_offset: String(withLast),
    mode: String(pick([0, 1, 2])),
    per_sample_weights: chance(0.6) ? 'null' : tensorOf([count], 'float32'),
    padding_idx: pick(['null', '-1', '0', String(words - 1)]),
    sparse: String(chance(0.2)),
    scale_grad_by_freq: String(chance(0.2)),
  };
};

const loss = (draw, around) => {
  const { pick } = draw;
  const [n, c] = [pick([0, 1, 3, 4]), pick([1, 2, 5])];
  const more = pick([[], [], [3], [2, 2]]);
  const shape = pick([[n, c, ...more], [n, c], [c]]);
  return {
    self: around.tensorOf(shape, pick(['float32', 'float64'])),
    target: draw.chance(0.7)
      ? around.indices(shape.length > 1 ? [n, ...shape.slice(2)] : [], c)
      : around.tensorOf(shape),
    weight: draw.chance(0.6) ? 'null' : around.tensorOf([c], 'float32'),
    reduction: String(pick([0, 1, 2, 1, 2])),
    ignore_index: pick(['-100', '0']),
  };
};

const norm = ({ pick, chance }, { tensorOf, text }) => {
  const c = pick([1, 2, 4, 6]);
  const width = pick([1, 3, 8]);
  const per = (size) => (chance(0.3) ? 'null' : tensorOf([size], 'float32'));
  const image = tensorOf([pick([0, 1, 2, 3]), c, ...pick([[], [4], [3, 3], [width, width]])], 'float32');
  return {
    input: image,
    weight: per(c),
    bias: per(c),
    running_mean: per(c),
    running_var: per(c),
    normalized_shape: text([c]),
    num_groups: String(pick([1, 2, c])),
    momentum: '0.1',
    eps: '1e-5',
    use_input_stats: String(chance(0.7)),
    training: String(chance(0.6)),
    cudnn_enabled: 'false',
    train: String(chance(0.6)),
  };
};

const attention = ({ pick, chance }, { tensorOf }) => {
  const lead = pick([[1, 2], [2], [2, 1], [0, 2], []]);
  const [l, s, e] = [pick([0, 1, 3, 4]), pick([0, 1, 3, 5]), pick([0, 1, 4, 8, 16])];
  return {
    query: tensorOf([...lead, l, e]),
    key: tensorOf([...lead, s, e]),
    value: tensorOf([...lead, s, e]),
    attn_mask: chance(0.6) ? 'null' : tensorOf([l, s]),
    dropout_p: pick(['0', '0', '0.5']),
    is_causal: String(chance(0.2)),
    scale: pick(['null', '1', '0.5', '0']),
  };
};

const grid =
  (dims) =>
  ({ pick, many }, { tensorOf }) => {
    const n = pick([0, 1, 2]);
    const kind = pick(['float32', 'float32', 'float64']);
    return {
      input: tensorOf([n, pick([1, 2]), ...many(dims, () => pick([1, 2, 4, 5]))], kind),
      grid: `${tensorOf([n, ...many(dims, () => pick([1, 2, 3])), dims], kind)}`,
      interpolation_mode: String(pick([0, 1, 2])),
      padding_mode: String(pick([0, 1, 2])),
    };
  };

const segments = (draw, { tensorOf, text }) => {
  const { pick, below, chance } = draw;
  const size = pick([0, 1, 3, 5, 8]);
  const cuts = draw.many(pick([1, 2, 3]), () => below(size + 1)).sort((a, b) => a - b);
  const offsets = [0, ...cuts, size];
  const lengths = offsets.slice(1).map((end, i) => end - offsets[i]);
  const byLengths = chance(0.5);
  return {
    data: tensorOf([size, ...pick([[], [2], [3, 2]])], pick(['float32', 'float64'])),
    lengths: byLengths ? `t.tensor(${text(lengths)},{dtype:'int64'})` : 'null',
    offsets: byLengths ? 'null' : `t.tensor(${text(offsets)},{dtype:'int64'})`,
    indices: 'null',
    axis: '0',
    unsafe: String(chance(0.3)),
  };
};

const product = (draw, { tensorOf }) => {
  const { pick } = draw;
  const size = () => pick([0, 1, 2, 3, 4, 8, 17]);
  const [n, k, m, b] = [size(), size(), size(), pick([0, 1, 2, 3])];
  const batched = draw.chance(0.4);
  return {
    mm: {
      self: tensorOf([n, k]),
      mat2: tensorOf([k, m]),
      other: tensorOf([k, m]),
      input: tensorOf([n, k]),
      weight: tensorOf([m, k]),
      bias: draw.chance(0.5) ? 'null' : tensorOf([m]),
    },
    addmm: {
      self: tensorOf(pick([[n, m], [m], []])),
      mat1: tensorOf([n, k]),
      mat2: tensorOf([k, m]),
      mat: tensorOf([n, k]),
      vec: tensorOf([k]),
      vec1: tensorOf([n]),
      vec2: tensorOf([m]),
    },
    bmm: {
      self: tensorOf([b, n, k]),
      mat2: tensorOf([b, k, m]),
      batch1: tensorOf([b, n, k]),
      batch2: tensorOf([b, k, m]),
    },
    matmul: {
      self: tensorOf(batched ? [b, n, k] : [n, k]),
      other: tensorOf(batched ? [b, k, m] : pick([[k, m], [k]])),
    },
    mv: { self: tensorOf([n, k]), vec: tensorOf([k]), tensor: tensorOf([k]), other: tensorOf([k]) },
    addbmm: { self: tensorOf([n, m]), batch1: tensorOf([b, n, k]), batch2: tensorOf([b, k, m]) },
    baddbmm: { self: tensorOf([b, n, m]), batch1: tensorOf([b, n, k]), batch2: tensorOf([b, k, m]) },
  };
};
const ofProduct = (kind) => (draw, around) => product(draw, around)[kind];

const compressed = ({ pick, many, below }, { tensorOf, text }) => {
  const [r, c, n] = [pick([1, 2, 4]), pick([1, 2, 4]), pick([0, 1, 3])];
  const cuts = [0, ...many(r - 1, () => below(n + 1)).sort((a, b) => a - b), n];
  const list = (values) => `t.tensor(${text(values)},{dtype:'int64'})`;
  const inner = many(n, () => below(c + (below(20) === 0 ? 1000 : 0)));
  return {
    crow_indices: list(cuts),
    col_indices: list(inner),
    ccol_indices: list(cuts),
    row_indices: list(inner),
    compressed_indices: list(cuts),
    plain_indices: list(inner),
    values: tensorOf([n]),
    size: text([r, c]),
    layout: "'sparse_csr'",
    dtype: 'null',
    indices: `t.tensor(${text([many(n, () => below(r)), inner].map(text))},{dtype:'int64'}).reshape([2,${n}])`,
  };
};

const distribution = ({ pick, many }, { base, text }) => {
  const total = base.reduce((product_, size) => product_ * size, 1);
  const values = (list) =>
    `t.tensor(${text(many(Math.min(total, 16), () => pick(list)))}).reshape(${text(total <= 16 ? base : [16])})`;
  return {
    self: values([0, 0.5, 1, 3, 20, 1e5, 1e30, '-1', 'NaN', 'Infinity']),
    count: values([0, 1, 5, 20, 1000, 1e9, 1e30, '-1', 'NaN', 'Infinity']),
    prob: values([0, 0.1, 0.5, 0.9, 1, 1e-7, '-1', 'NaN', 2]),
    num_samples: pick(['1', '2']),
    replacement: 'true',
    p: pick(['0.5', '0.1', '1e-6', '1', '0', 'NaN']),
  };
};

const recurrent = ({ pick }, { tensorOf }) => {
  const [b, i, h] = [pick([0, 1, 2, 3]), pick([1, 2, 4]), pick([1, 2, 3])];
  const gates = pick([1, 3, 4]);
  return {
    input: tensorOf([b, i], 'float32'),
    hx: gates === 4 ? `[${tensorOf([b, h], 'float32')},${tensorOf([b, h], 'float32')}]` : tensorOf([b, h], 'float32'),
    w_ih: tensorOf([gates * h, i], 'float32'),
    w_hh: tensorOf([gates * h, h], 'float32'),
    b_ih: tensorOf([gates * h], 'float32'),
    b_hh: tensorOf([gates * h], 'float32'),
  };
};

const transform = ({ pick }, { base, tensorOf }) => ({
  self: tensorOf(base.length > 1 ? base : [4, 6], pick(['float32', 'float64', 'complex64'])),
  norm: `'${pick(['ortho', 'forward', 'backward'])}'`,
});

const ctc = (draw, { tensorOf, indices, text }) => {
  const [steps, n, c, s] = [draw.pick([1, 4, 8]), draw.pick([1, 2]), draw.pick([2, 5]), draw.pick([1, 3])];
  return {
    log_probs: `${tensorOf([steps, n, c], 'float32')}.log_softmax(-1)`,
    targets: indices([n, s], c),
    blank: '0',
    input_lengths: draw.chance(0.5)
      ? text(draw.many(n, () => draw.pick([steps, steps, 1, 0, -1, 99])))
      : indices([n], steps + 1),
    target_lengths: draw.chance(0.5) ? text(draw.many(n, () => draw.pick([s, s, 1, 0, -1, 99]))) : indices([n], s + 1),
    reduction: '1',
  };
};

const each = (names, recipe) => Object.fromEntries(names.split(' ').map((name) => [name, recipe]));

exports.recipes = {
  ...each('conv1d', convolution(1)),
  ...each(
    'conv2d convolution _convolution mkldnn_convolution _slow_conv2d_forward thnn_conv2d slow_conv2d ' +
      '_nnpack_spatial_convolution',
    convolution(2),
  ),
  ...each('conv_depthwise3d conv3d slow_conv3d slow_conv3d_forward slow_conv_dilated3d', convolution(3)),
  ...each('slow_conv_dilated2d _conv_depthwise2d', convolution(2)),
  conv_transpose1d: convolution(1, true),
  ...each('conv_transpose2d slow_conv_transpose2d', convolution(2, true)),
  ...each('conv_transpose3d slow_conv_transpose3d', convolution(3, true)),
  ...each('max_pool1d avg_pool1d adaptive_avg_pool1d adaptive_max_pool1d max_pool1d_with_indices lp_pool1d', pool(1)),
  ...each(
    'max_pool2d avg_pool2d adaptive_avg_pool2d adaptive_max_pool2d max_pool2d_with_indices mkldnn_max_pool2d ' +
      '_adaptive_avg_pool2d quantized_max_pool2d im2col',
    pool(2),
  ),
  ...each(
    'max_pool3d avg_pool3d adaptive_avg_pool3d adaptive_max_pool3d max_pool3d_with_indices mkldnn_max_pool3d ' +
      '_adaptive_avg_pool3d',
    pool(3),
  ),
  ...each('reflection_pad1d replication_pad1d', pad(1)),
  ...each('reflection_pad2d replication_pad2d', pad(2)),
  ...each('reflection_pad3d replication_pad3d', pad(3)),
  ...each('upsample_linear1d upsample_nearest1d _upsample_nearest_exact1d', upsample(1)),
  ...each('upsample_trilinear3d upsample_nearest3d _upsample_nearest_exact3d', upsample(3)),
  ...each(
    'upsample_bilinear2d upsample_nearest2d upsample_bicubic2d _upsample_nearest_exact2d ' +
      '_upsample_bilinear2d_aa _upsample_bicubic2d_aa _upsample_lanczos2d_aa',
    upsample(2),
  ),
  ...each(
    'linalg_inv inverse linalg_det det logdet slogdet linalg_slogdet linalg_solve linalg_cholesky cholesky ' +
      'linalg_eig linalg_eigh linalg_eigvals linalg_eigvalsh linalg_lu linalg_lu_factor linalg_qr linalg_svd ' +
      'linalg_matrix_power matrix_power linalg_matrix_exp linalg_ldl_factor linalg_solve_triangular ' +
      '_linalg_eigvals _linalg_det _linalg_slogdet linalg_inv_ex linalg_cholesky_ex cholesky_solve ' +
      'cholesky_inverse triangular_solve linalg_tensorinv matrix_exp linalg_cond linalg_pinv trace',
    square,
  ),
  ...each('lu_unpack lu_solve linalg_lu_solve linalg_ldl_solve', factors),
  ...each(
    'gather scatter scatter_add scatter_reduce index_select index_add index_copy index_fill index_reduce ' +
      'take_along_dim',
    rows,
  ),
  ...each('embedding_bag _embedding_bag _embedding_bag_forward_only embedding', bag),
  ...each(
    'nll_loss nll_loss_nd nll_loss2d nll_loss_forward nll_loss2d_forward cross_entropy_loss multi_margin_loss ' +
      'multilabel_margin_loss multilabel_margin_loss_forward',
    loss,
  ),
  ...each(
    'batch_norm native_batch_norm instance_norm group_norm layer_norm native_layer_norm rms_norm ' +
      'cudnn_batch_norm batch_norm_stats',
    norm,
  ),
  ...each(
    'scaled_dot_product_attention _scaled_dot_product_attention_math _scaled_dot_product_flash_attention_for_cpu',
    attention,
  ),
  ...each('grid_sampler grid_sampler_2d _grid_sampler_2d_cpu_fallback', grid(2)),
  grid_sampler_3d: grid(3),
  segment_reduce: segments,
  ...each('mm linear hspmm _sparse_mm _sparse_sparse_matmul _int_mm mkldnn_linear', ofProduct('mm')),
  ...each('addmm addmv addr sspaddmm _sparse_addmm _addmm_activation sparse_sampled_addmm', ofProduct('addmm')),
  ...each('bmm', ofProduct('bmm')),
  ...each('matmul linalg_matmul', ofProduct('matmul')),
  ...each('mv dot vdot', ofProduct('mv')),
  addbmm: ofProduct('addbmm'),
  baddbmm: ofProduct('baddbmm'),
  ...each(
    'sparse_csr_tensor sparse_csc_tensor sparse_coo_tensor sparse_compressed_tensor ' +
      '_sparse_coo_tensor_with_dims_and_tensors',
    compressed,
  ),
  ...each(
    'binomial poisson _standard_gamma _sample_dirichlet bernoulli multinomial geometric exponential',
    distribution,
  ),
  ...each('rnn_tanh_cell rnn_relu_cell gru_cell lstm_cell', recurrent),
  ...each(
    'fft_fft fft_ifft fft_rfft fft_irfft fft_hfft fft_ihfft fft_fft2 fft_ifft2 fft_rfft2 fft_irfft2 fft_fftn ' +
      'fft_ifftn fft_rfftn fft_irfftn fft_hfftn fft_ihfftn',
    transform,
  ),
  ...each('ctc_loss _ctc_loss', ctc),
};
