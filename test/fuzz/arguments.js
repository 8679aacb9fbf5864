// Draws the arguments of an operator's schema, as source text: mostly ones that belong together, some extreme, a few of
// wrong types.
const { wrongValues } = require('./draws');
const { recipes } = require('./recipes');
const { dtypes, scene } = require('./tensors');

const extremeInts = [
  '2147483647',
  '2147483648',
  '-2147483649',
  '4611686018427387904n',
  '-9223372036854775808n',
  '9223372036854775807n',
  '1099511627776',
  '65536',
  '-100',
  '64',
];
const floats = ['0.5', '0', '1', '1.5', '-1', '1e-5', '2', '0.1', '0.9', 'NaN', 'Infinity', '-Infinity', '1e30'];
const indexNames = new RegExp(
  'index|indices|offset|target|label|lengths|batch_sizes|pivots|crow|ccol|' +
    '^row|^col|segment|bins|perm|cu_seq|sorter|counts',
);

const strings = [
  [/reduc/, ['sum', 'mean', 'amax', 'amin', 'prod', 'max', 'min']],
  [/mode/, ['constant', 'reflect', 'replicate', 'circular', 'reduced', 'complete', 'r']],
  [/rounding/, ['trunc', 'floor']],
  [/approx/, ['none', 'tanh']],
  [/equation/, ['ij,jk->ik', 'ij->ji', 'ii->i', '...i->i', 'ij,ij', 'i,j->ij', 'ij,ij->', 'b...i->b...']],
  [/driver/, ['gels', 'gelsy', 'gelsd', 'gelss']],
  [/ord/, ['fro', 'nuc']],
  [/side/, ['left', 'right']],
  [/indexing/, ['ij', 'xy']],
  [/UPLO/, ['L', 'U']],
  [/padding/, ['same', 'valid']],
];

/** The source text of a call of `operator`, and of what is then done with its result. */
exports.drawCall = (draw, { namespace, name, parameters }) => {
  const { chance, below, pick, many } = draw;
  const around = scene(draw);
  const { base, related, tensor, indices, last, text } = around;
  const recipe = recipes[name.replace(/_$/, '')];
  const known = recipe !== undefined && chance(0.8) ? recipe(draw, around) : {};

  const int = (parameter) => {
    if (chance(0.03)) return pick(extremeInts);
    if (/dim|axis/.test(parameter)) return String(pick([-1, 0, 0, 1, 1, -2, 2, base.length, -base.length - 1]));
    if (/group/.test(parameter)) return String(pick([1, 1, 1, 2, 4, 0, -1]));
    if (/size|length|classes|^n$|^k$|bins|num|steps|^m$/.test(parameter))
      return String(pick([0, 1, 2, 3, base[0] ?? 1, last, 5, 10, -1]));
    return String(pick([0, 0, 1, 1, 1, 2, 2, 3, 4, -1, -2, base[0] ?? 1, last]));
  };
  const ints = ({ name: parameter, fixed }) => {
    const length = fixed > 0 && chance(0.85) ? fixed : pick([0, 1, 2, 2, 3, 4, base.length, base.length]);
    if (/size|shape/.test(parameter) && chance(0.6)) return text(related());
    if (/dim/.test(parameter)) return text(many(length, (i) => (chance(0.7) ? i : pick([0, 1, -1, 2, 3]))));
    if (/stride|dilation/.test(parameter)) return text(many(length, () => pick([1, 1, 1, 2, 2, 3, 0, -1])));
    return text(many(length, () => (chance(0.03) ? pick(extremeInts) : pick([0, 1, 1, 1, 2, 2, 3, 5, -1]))));
  };
  const string = (parameter) => {
    const [, values] = strings.find(([pattern]) => pattern.test(parameter)) ?? [null, ['sum', 'mean', 'none', '', 'x']];
    return JSON.stringify(pick(values));
  };
  const out = () => {
    const { dtype } = around;
    const shape = text(related());
    return pick([
      `t.empty([0],{dtype:'${dtype}'})`,
      `t.empty([0],{dtype:'${dtype}'})`,
      `t.zeros(${shape},{dtype:'${dtype}'})`,
      `t.zeros(${shape},{dtype:'${pick(dtypes)}'})`,
      tensor(),
    ]);
  };

  const one = ({ type, name: parameter, out: isOut }) => {
    switch (type) {
      case 'Tensor':
        if (isOut) return out();
        return indexNames.test(parameter) && chance(0.85)
          ? indices(
              chance(0.5) ? related() : pick([[base[0] ?? 1], [pick([0, 1, 2, 3, 5])], [2, 3]]),
              pick([base[0] ?? 1, last, base[1] ?? 1]),
            )
          : /mask|where|cond/.test(parameter) && chance(0.7)
            ? `t.randint(0,2,${text(related())}).to('bool')`
            : tensor();
      case 'int':
        return int(parameter);
      case 'float':
        return pick(floats);
      case 'bool':
        return String(chance(0.5));
      case 'Scalar':
        return chance(0.5) ? int('') : pick(floats);
      case 'ScalarType':
        return `'${chance(0.6) ? around.dtype : pick(dtypes)}'`;
      case 'Layout':
        return `'${pick(['strided', 'strided', 'sparse_coo', 'sparse_csr'])}'`;
      case 'MemoryFormat':
        return `'${pick(['contiguous_format', 'preserve_format', 'channels_last', 'channels_last_3d'])}'`;
      case 'Device':
        return `'${pick(['cpu', 'cpu', 'cpu', 'meta', 'cuda', 'cpu:1'])}'`;
      case 'str':
        return string(parameter);
      case 'Generator':
        return `new t.Generator(${below(5)})`;
      default:
        return 'null';
    }
  };
  const value = (parameter) => {
    if (chance(0.01)) return pick(wrongValues);
    if (parameter.name in known && chance(0.94)) return known[parameter.name];
    if (parameter.nullable && chance(parameter.list ? 0.3 : 0.5)) return 'null';
    if (!parameter.list) return one(parameter);
    if (parameter.type === 'int') return chance(0.1) && parameter.fixed > 0 ? int(parameter.name) : ints(parameter);
    const length = parameter.fixed > 0 && chance(0.85) ? parameter.fixed : pick([0, 1, 1, 2, 2, 3]);
    return text(many(length, () => (parameter.nullable && chance(0.15) ? 'null' : one(parameter))));
  };

  const positional = [];
  const keywords = [];
  let byName = false;
  for (const parameter of parameters) {
    if (parameter.hasDefault && !(parameter.name in known) && chance(0.6)) byName = true;
    else if (parameter.keyword || byName) keywords.push(`${parameter.name}:${value(parameter)}`);
    else if (!chance(0.003)) positional.push(value(parameter));
  }
  if (keywords.length > 0) positional.push(`{${keywords.join()}}`);
  return { source: `t.ops.${namespace}.${name}(${positional.join()})`, then: chance(0.35) ? pick(follow) : '' };
};

// What is done with a tensor that came out: kernels that read it in other ways.
const follow = [
  '.sum()',
  '.clone()',
  '.contiguous()',
  '.add(1)',
  '.to_dense()',
  '.dequantize()',
  '.coalesce()',
  '.mul(2)',
  '.reshape([-1])',
  '.t()',
  '.sort()',
  '.softmax(-1)',
  '.unique_consecutive()',
  '.abs()',
  '.nonzero()',
  '.to_sparse()',
  '.to_mkldnn()',
  '.matmul(v)',
  '.index_select(0,v.to("int64"))',
  '.select(0,0)',
  '.to("float64")',
  '.values()',
  '.indices()',
  '.toString()',
  '.item()',
  '.copy_(v)',
  '.resize_([3])',
  '.add_(v)',
  '.view([-1])',
  '.bytes()',
  '.strides',
];
