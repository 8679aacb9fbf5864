// The calls of `api.js`: torch's own functions and the methods of tensors, with arguments of all kinds.
const { wrongValues } = require('./draws');
const { dtypes, scene } = require('./tensors');

// prettier-ignore
const views = [
  'view', 'reshape', 'expand', 'permute', 'repeat', 'resize_', 'sum', 'mean', 'flatten', 'squeeze', 'transpose',
  'select', 'slice', 'narrow',
];
// prettier-ignore
const methods = [
  'add', 'mul_', 'matmul', 'index_select', 'where', 'clone', 'copy_', 'fill_', 'masked_fill', 'gather', 'split',
  'chunk', 'cat', 'stack',
];
// prettier-ignore
const ofLists = [
  'cat', 'stack', 'block_diag', 'meshgrid', 'einsum', 'concat', 'where', '_foreach_add', 'broadcast_tensors',
];
// prettier-ignore
const functions = [
  'tidy', 'noGrad', 'profile', 'enableGrad', 'autocast', 'memory', 'manualSeed', 'getNumThreads', 'setNumThreads',
  'emptyCache', 'isGradEnabled', 'inferenceMode',
];
const factories = [
  'zeros',
  'ones',
  'empty',
  'full',
  'eye',
  'linspace',
  'rand',
  'randn',
  'randint',
  'randperm',
  'arange',
];
const members = [
  'shape',
  'strides',
  'dtype',
  'device',
  'grad',
  'requiresGrad',
  'isLeaf',
  'data()',
  'bytes()',
  'toArray()',
  'item()',
  'toString()',
  'storageKey',
  'dispose()',
  'handle',
];

/** A function that draws a call: `{ label, source, then }`. */
exports.prepare = () => (draw) => {
  const { chance, below, pick, many } = draw;
  const { base, related, tensor, text } = scene(draw);
  const number = () =>
    pick([
      '0',
      '1',
      '2',
      '3',
      '-1',
      '0.5',
      'NaN',
      'Infinity',
      '-0',
      '2**31',
      '2**53',
      '1e300',
      '3n',
      '2n**63n',
      'true',
      '"1"',
    ]);
  const wrong = () => pick(wrongValues);
  const shape = () =>
    chance(0.75)
      ? text(related())
      : pick([
          wrong(),
          `[${number()}]`,
          `[2,${number()}]`,
          `[${wrong()}]`,
          '[2**40,2**40]',
          '[-1]',
          'new Int32Array([2,3])',
        ]);
  const typed = () => {
    const kind = pick([
      'Float32Array',
      'Float64Array',
      'Int8Array',
      'Int16Array',
      'Int32Array',
      'BigInt64Array',
      'BigUint64Array',
      'Uint8Array',
      'Uint8ClampedArray',
      'Uint16Array',
      'Uint32Array',
    ]);
    return pick([
      `new ${kind}(${below(7)})`,
      `new ${kind}(new SharedArrayBuffer(16))`,
      `new ${kind}(new ArrayBuffer(16,{maxByteLength:64}))`,
      `new ${kind}(new ArrayBuffer(24),8,1)`,
      '(()=>{const b=new ArrayBuffer(16,{maxByteLength:64});const ' +
        `a=new ${kind}(b);b.resize(${pick([0, 1, 8])});return a})()`,
      `(()=>{const a=new ${kind}(2);structuredClone(a.buffer,{transfer:[a.buffer]});return a})()`,
      'Buffer.from("abc")',
      'new DataView(new ArrayBuffer(8))',
    ]);
  };
  const nested = (depth = 0) =>
    depth < 3 && chance(0.5)
      ? `[${many(below(4), () => nested(depth + 1)).join()}]`
      : chance(0.06)
        ? wrong()
        : number();
  const data = () => pick([nested, nested, typed, typed, wrong, () => `t.rand(${text(base)}).toArray()`])();
  const dtype = () =>
    chance(0.8) ? `'${pick(dtypes)}'` : pick(['"float"', '"FLOAT32"', '""', wrong(), '"qint8"', '"__proto__"']);
  const device = () => (chance(0.7) ? '"cpu"' : pick(['"meta"', '"cuda"', '"cpu:7"', '"cuda:99"', '""', wrong()]));
  const options = (more = {}) => {
    const all = {
      dtype: dtype(),
      device: device(),
      requiresGrad: pick(['true', 'false', wrong()]),
      pinMemory: pick(['false', 'true', wrong()]),
      generator: pick(['new t.Generator(1)', 'null', wrong()]),
      ...more,
    };
    const chosen = Object.keys(all).filter(() => chance(0.25));
    return chance(0.04) ? wrong() : `{${chosen.map((key) => `${key}:${all[key]}`).join()}}`;
  };
  const any = () => pick([tensor, number, shape, wrong, data, dtype, options])();

  const kinds = {
    tensor: () => `t.tensor(${data()}${chance(0.6) ? `,${options({ shape: shape(), pinMemory: 'false' })}` : ''})`,
    factory: () => {
      const name = pick(factories);
      const first = /linspace|randint|arange|randperm|eye/.test(name) ? many(pick([1, 2, 3]), number) : [shape()];
      if (name === 'full') first.push(number());
      if (name === 'randint') first.push(shape());
      return `t.${name}(${[...first, options()].join()})`;
    },
    member: () => `${tensor()}.${pick(members)}`,
    to: () => {
      const both = () => `{dtype:${dtype()},device:${device()},nonBlocking:${pick(['true', wrong()])}}`;
      return `${tensor()}.to(${pick([dtype, device, both, any])()})`;
    },
    view: () => `${tensor()}.${pick(views)}(${many(below(4), () => (chance(0.5) ? shape() : any())).join()})`,
    method: () => `${tensor()}.${pick(methods)}(${many(below(4), any).join()})`,
    list: () => {
      const name = pick(ofLists);
      const items = many(below(4), () => (chance(0.8) ? tensor() : any())).join();
      return `t.${name}([${items}]${chance(0.5) ? `,${any()}` : ''})`;
    },
    set: () =>
      `(()=>{const a=${tensor()};a.${pick(['grad', 'requiresGrad'])}=${chance(0.5) ? tensor() : any()};return a})()`,
    backward: () => {
      const a = `t.randn(${text(base)},{requiresGrad:true})`;
      const b = `a.mul(2)${pick(['', '.sum()'])}`;
      const options = pick(['', `{gradient:${pick([tensor, any])()}}`, `{retainGraph:${any()}}`, any()]);
      return `(()=>{const a=${a};const b=${b};b.backward(${options});return a.grad})()`;
    },
    function: () => `t.${pick(functions)}?.(${pick(['', any(), '()=>1', '()=>t.ones([2])'])})`,
    generator: () => {
      const seed = number();
      const use = pick(['', '.seed', '.state', '.getState?.()', '.manualSeed?.(3)', `.setState?.(${any()})`]);
      return `new t.Generator(${seed})${use}`;
    },
    detachedMethod: () => `t.Tensor.prototype.${pick(['add', 'sum', 'view'])}.call(${any()},${any()})`,
    operator: () =>
      `t.ops.${pick(['aten', 'aten', 'x'])}.${pick(['add', 'sum', 'nothing'])}(${many(below(3), any).join()})`,
  };
  const kind = pick(Object.keys(kinds));
  return { label: kind, source: kinds[kind](), then: '' };
};
