// Draws tensors, as JavaScript source text in which `t` is torch: shapes that belong together, and every kind of memory
// and value.

const floats = ['float32', 'float32', 'float32', 'float32', 'float64', 'float64', 'float16', 'bfloat16'];
const integers = ['int64', 'int64', 'int32', 'uint8', 'int8', 'int16'];
const others = ['bool', 'complex64', 'complex128', 'uint16', 'uint64', 'float8_e4m3fn'];
exports.dtypes = [...floats, ...integers, ...others];

const odd = ['NaN', 'Infinity', '-Infinity', '1e38', '-1e38', '1e-45', '-0', '0'];
const count = (shape) => shape.reduce((product, size) => product * size, 1);
const text = (list) => `[${list.join(',')}]`;

/** What a call's tensors have in common: `base`, `related()` shapes, `tensor()` and `indices()` as source text. */
exports.scene = ({ chance, below, pick, many }) => {
  const size = () => pick([0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 6, 8, 16, 17]);
  const base = many(pick([0, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5]), size);
  const dtype = chance(0.75) ? pick(floats) : chance(0.6) ? pick(integers) : pick(others);
  const special = chance(0.3); // whether this call's tensors have unusual memory
  const last = base[base.length - 1] ?? 1;

  const related = () => {
    const shape = [...base];
    const at = below(shape.length);
    switch (below(20)) {
      case 0:
        return shape.slice(1);
      case 1:
        return shape.slice(0, -1);
      case 2:
        return [last];
      case 3:
        return [shape[1] ?? last];
      case 4:
        return shape.reverse();
      case 5:
        return shape.length > 0 ? shape.with(at, Math.max(0, shape[at] + pick([-1, 1, 3]))) : [1];
      case 6:
        return shape.length > 0 ? shape.with(at, pick([0, 1])) : [0];
      case 7:
        return [pick([1, 2, 3]), ...shape];
      case 8:
        return many(below(5), size);
      case 9:
        return [last, pick([1, 2, 4])];
      default:
        return shape;
    }
  };

  const filled = (shape, kind) => {
    const total = count(shape);
    if (kind === 'bool') return `t.randint(0,2,${text(shape)}).to('bool')`;
    const cast = kind === 'float32' ? '' : `.to('${kind}')`;
    if (/int/.test(kind)) {
      const [low, high] = pick([
        [0, 2],
        [0, 9],
        [0, 9],
        [-2, 3],
        [-100, 200],
      ]);
      return `t.randint(${/^u/.test(kind) ? 0 : low},${high},${text(shape)})${kind === 'int64' ? '' : cast}`;
    }
    if (total > 0 && total <= 16 && chance(0.12)) {
      const values = many(total, () => (chance(0.4) ? pick(odd) : pick([0.5, 1, -1, 2, 3])));
      return `t.tensor(${text(values)}).reshape(${text(shape)})${cast}`;
    }
    if (chance(0.06)) return `t.full(${text(shape)},${pick(odd)})${cast}`;
    return `t.${chance(0.25) ? 'rand' : 'randn'}(${text(shape)})${cast}`;
  };

  const quantized = (shape) => {
    const values = `t.randn(${text(shape)})`;
    if (chance(0.3) && shape.length > 0) {
      const [channels] = shape;
      return `t.quantize_per_channel(${values},t.ones([${channels}]),t.zeros([${channels}],{dtype:'int64'}),0,'qint8')`;
    }
    const [scale, zero] = [pick([0.5, 0.1, 1e-9]), pick([0, 3, 100])];
    return `t.quantize_per_tensor(${values},${scale},${zero},'${pick(['qint8', 'quint8', 'qint32'])}')`;
  };

  /** The same elements in other memory, or with a flag. */
  const dressed = (source, shape, kind) => {
    const rank = shape.length;
    const float = /^(float|bfloat|complex)/.test(kind);
    const forms = [
      () => source,
      () => source,
      () => (rank > 1 ? `${source}.transpose(${below(rank)},${below(rank)})` : source),
      () =>
        rank > 0 ? `${source}.repeat_interleave(2,${rank - 1}).slice(${rank - 1},0,${2 * shape[rank - 1]},2)` : source,
      () => (rank > 0 ? `t.cat([${source},${source}],0).narrow(0,${shape[0]},${shape[0]})` : source),
      () =>
        count(shape) > 0
          ? `${source}.reshape([-1]).as_strided(${text(shape)},${text(shape.map(() => pick([0, 0, 1])))})`
          : source,
      () =>
        rank > 0
          ? `${source}.narrow(0,0,${Math.min(1, shape[0])})` +
            `.expand(${text(shape[0] > 0 ? shape : [0, ...shape.slice(1)])})`
          : source,
      () => `${source}.unsqueeze(0).expand([${pick([0, 1, 2, 3, 3, 300])},${shape.join(',')}])`.replace(',]', ']'),
      () => (rank > 0 ? `${source}.flip([${below(rank)}])` : source),
      () => `${source}.to_sparse(${rank > 1 && chance(0.3) ? 1 + below(rank) : ''})`,
      () => (rank === 2 ? `${source}.${pick(['to_sparse_csr()', 'to_sparse_csr()', 'to_sparse_csc()'])}` : source),
      () =>
        rank === 2 && shape.every((s) => s > 0 && s % 2 === 0)
          ? `${source}.to_sparse_${pick(['bsr', 'bsc'])}([2,2])`
          : source,
      () => quantized(shape),
      () => (kind === 'float32' ? `${source}.to_mkldnn()` : source),
      () => `${source}.to('meta')`,
      () => (kind.startsWith('complex') ? `${source}.conj()` : source),
      () => (float ? `${source}._neg_view()` : source),
      () => (rank === 4 ? `${source}.contiguous({memory_format:'channels_last'})` : source),
      () => (rank === 5 ? `${source}.contiguous({memory_format:'channels_last_3d'})` : source),
      () =>
        `t.sparse_coo_tensor(t.randint(0,${Math.max(1, shape[0] ?? 1)},[1,${pick([0, 2, 3])}]),` +
        `t.ones([${pick([0, 2, 3])}]),[${shape[0] ?? 1}])`,
    ];
    return pick(forms)();
  };

  const tensorOf = (shape, kind = dtype) => {
    const source = filled(shape, kind);
    const grad = /^(float(16|32|64)|bfloat)/.test(kind) && chance(0.15) ? '.requires_grad_()' : '';
    if (special && chance(0.4)) return dressed(source, shape, kind);
    return source + grad;
  };
  const tensor = () => tensorOf(related(), chance(0.9) ? dtype : pick(exports.dtypes));

  /** Integers below `limit`, now and then some that are not. */
  const indices = (shape, limit, kind = chance(0.85) ? 'int64' : pick(['int32', 'int32', 'uint8', 'int16'])) => {
    const total = count(shape);
    if (total > 200) return `t.randint(0,${Math.max(1, limit)},${text(shape)})`;
    const bad = chance(0.15);
    const value = () =>
      bad && chance(0.3)
        ? pick([-1, limit, limit + 1, -limit - 1, 1000, -1000, 2 ** 31, -(2 ** 31), 2 ** 40, -(2 ** 40)])
        : below(Math.max(1, limit));
    const cast = kind === 'int64' ? '' : `.to('${kind}')`;
    const source = `t.tensor(${text(many(total, value))},{dtype:'int64'}).reshape(${text(shape)})${cast}`;
    return special && chance(0.15) ? dressed(source, shape, kind) : source;
  };

  return { base, dtype, related, tensor, tensorOf, indices, size, last, text };
};
