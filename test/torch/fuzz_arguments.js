// Random arguments for an operator schema: mostly of the right types, with extreme values, sometimes of wrong ones.

/** A small seeded generator (mulberry32) with the draws that the fuzzer needs. */
exports.draws = (seed) => {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (n) => Math.floor(next() * n);
  return { chance: (share) => next() < share, below, pick: (list) => list[below(list.length)] };
};

const shapes = [[], [0], [1], [2], [3], [4], [2, 3], [3, 2], [3, 3], [2, 0], [4, 4], [1, 3, 4], [2, 3, 4], [2, 3, 4, 4], [1, 1, 5, 5], [1, 2, 3, 4, 4]];
const commonDtypes = ['float32', 'float32', 'float32', 'float64', 'int64', 'int64', 'bool', 'uint8'];
const dtypes = [...commonDtypes, 'float16', 'bfloat16', 'int32', 'int16', 'int8', 'uint16', 'uint64', 'complex64', 'complex128', 'float8_e4m3fn'];
const smallInts = [0, 0, 1, 1, 1, 2, 2, 3, 4, -1, -1, -2, 5, 7];
const extremeInts = [-5, 64, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 40, 2n ** 62n, -(2n ** 63n), 2n ** 63n - 1n];
const floats = [0, 1, 0.5, 2, -1, 1e-5, 0.1, NaN, Infinity, -Infinity, 1e30, -1e308];
const strings = ['', 'mean', 'sum', 'max', 'none', 'cpu', 'ij', 'constant', 'reflect', 'linear', 'trunc', 'floor', 'tanh', 'prod', 'amax', 'left', 'fro', 'é\0x'];

/** The arguments of a schema: `{ type, list, optional, fixed, keyword, name, hasDefault }` each. */
exports.parameters = (schema) => {
  const inside = schema.slice(schema.indexOf('(') + 1, schema.lastIndexOf(') ->'));
  let keyword = false;
  const result = [];
  for (const part of inside.split(/, (?![^[(]*[\])])/)) {
    if (part === '*') keyword = true;
    const [, type, name, value] = /^(.+?) (\w+)(=.*)?$/.exec(part) ?? [];
    if (type === undefined) continue;
    const plain = type.replace(/\([^)]*\)/g, '');
    const list = /\[(\d*)\]/.exec(plain);
    result.push({
      type: plain.replace(/[?]|\[\d*\]/g, ''),
      list: list !== null,
      nullable: plain.includes('?'),
      fixed: list?.[1] ? Number(list[1]) : 0,
      keyword,
      name,
      hasDefault: value !== undefined,
    });
  }
  return result;
};

/** Positional and keyword arguments for `parameters`. `describe` is what to log: it names everything that was drawn. */
exports.randomArguments = (torch, draw, parameters) => {
  const log = [];
  const note = (text, value) => {
    log.push(text);
    return value;
  };

  const int = () => {
    const value = draw.chance(0.93) ? draw.pick(smallInts) : draw.pick(extremeInts);
    return note(typeof value === 'bigint' ? `${value}n` : String(value), value);
  };
  const float = () => {
    const value = draw.pick(floats);
    return note(String(value), value);
  };

  const favourite = draw.chance(0.8) ? draw.pick(shapes) : undefined;
  const favouriteDtype = draw.chance(0.8) ? draw.pick(dtypes) : undefined;
  const tensor = () => {
    const shape = favourite && draw.chance(0.75) ? favourite : draw.pick(shapes);
    const dtype = favouriteDtype && draw.chance(0.8) ? favouriteDtype : draw.pick(draw.chance(0.7) ? commonDtypes : dtypes);
    const count = shape.reduce((product, size) => product * size, 1);
    const wide = draw.chance(0.1);
    const values = Array.from({ length: count }, () => (wide ? draw.pick([-100, 100, 2 ** 31, -(2 ** 40), 2 ** 62]) : draw.pick([0, 0, 1, 1, 2, 3, -1])));
    let made = torch.tensor(Float64Array.from(values), { shape }).to(dtype);
    const form = draw.below(40);
    let name = `${dtype}[${shape}]${wide ? 'wide' : ''}`;
    const change = (label, fn) => {
      name += label;
      made = fn();
    };
    const last = shape.length - 1;
    if (form < 4 && last > 0) change('.t', () => made.transpose(0, last));
    else if (form < 6 && last >= 0) change('.slice', () => made.slice(last, 0, shape[last], 2));
    else if (form < 8) change('.expand', () => made.unsqueeze(0).expand([3, ...shape]));
    else if (form < 12 && /float(32|64)/.test(dtype)) change('.grad', () => made.requires_grad_());
    else if (form === 12) change('.sparse', () => made.to_sparse());
    else if (form === 13 && shape.length === 2) change('.csr', () => made.to_sparse_csr());
    else if (form === 14) change('.meta', () => made.to('meta'));
    else if (form === 15 && dtype === 'float32') change('.quantized', () => torch.quantize_per_tensor(made, 0.5, 1, 'qint8'));
    else if (form === 16 && dtype === 'float32' && last >= 0) change('.mkldnn', () => made.to_mkldnn());
    else if (form === 17 && dtype.startsWith('complex')) change('.conj', () => made.conj());
    return note(name, made);
  };

  const wrong = () => {
    const [text, value] = draw.pick([
      ['undefined', undefined], ['null', null], ['"x"', 'x'], ['{}', {}], ['[]', []], ['[[[]]]', [[[]]]], ['NaN', NaN],
      ['() => 1', () => 1], ['Symbol()', Symbol('x')], ['2n ** 70n', 2n ** 70n], ['1e300', 1e300], ['true', true],
      ['Float32Array', new Float32Array(3)], ['new Date()', new Date(0)], ['{ out: 1 }', { out: 1 }], ['[1, null, "a"]', [1, null, 'a']],
    ]);
    return note(text, value);
  };

  const one = ({ type }) => {
    switch (type) {
      case 'Tensor':
        return tensor();
      case 'int':
      case 'SymInt':
        return int();
      case 'float':
      case 'SymFloat':
        return float();
      case 'bool':
      case 'SymBool': {
        const value = draw.chance(0.5);
        return note(String(value), value);
      }
      case 'Scalar':
        return draw.chance(0.5) ? int() : float();
      case 'ScalarType':
        return note(...twice(draw.pick(dtypes)));
      case 'Layout':
        return note(...twice(draw.pick(['strided', 'strided', 'sparse_coo', 'sparse_csr'])));
      case 'MemoryFormat':
        return note(...twice(draw.pick(['contiguous_format', 'preserve_format', 'channels_last', 'channels_last_3d'])));
      case 'Device':
        return note(...twice(draw.pick(['cpu', 'cpu', 'cpu', 'meta', 'cuda', 'cpu:1', 'cuda:99'])));
      case 'str':
        return note(JSON.stringify((log.string = draw.pick(strings))), log.string);
      case 'Generator':
        return note('Generator', new torch.Generator(draw.below(9)));
      default:
        return wrong();
    }
  };

  const value = (parameter) => {
    if (draw.chance(0.02)) return wrong();
    if (parameter.nullable && !parameter.list && draw.chance(0.4)) return note('null', null);
    if (!parameter.list) return one(parameter);
    if (parameter.nullable && draw.chance(0.3)) return note('null', null);
    const length = parameter.fixed > 0 && draw.chance(0.7) ? parameter.fixed : draw.pick([0, 1, 1, 2, 2, 3, 4, 5]);
    log.push('[');
    const list = Array.from({ length }, () => one(parameter));
    log.push(']');
    return list;
  };

  const positional = [];
  const keywords = {};
  let byName = false;
  for (const parameter of parameters) {
    if (parameter.hasDefault && draw.chance(0.5)) {
      byName = true;
    } else if (parameter.keyword || byName) {
      log.push(`${parameter.name}:`);
      keywords[parameter.name] = value(parameter);
    } else if (!draw.chance(0.005)) {
      positional.push(value(parameter));
    }
  }
  return { args: Object.keys(keywords).length > 0 ? [...positional, keywords] : positional, describe: () => log.join(' ') };
};

const twice = (text) => [`'${text}'`, text];
