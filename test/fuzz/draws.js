// A small seeded generator (mulberry32) with the draws that the fuzzers need.

/** The draws of one numbered case: they depend on the seed and the case's index alone. */
exports.draws = (seed, index) => {
  let state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)) >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  /** An integer from 0 below `n`; 0 for an `n` below 1. */
  const below = (n) => Math.floor(next() * Math.max(1, n));
  const pick = (list) => list[below(list.length)];
  const many = (count, one) => Array.from({ length: count }, (_, i) => one(i));
  return { chance: (share) => next() < share, below, pick, many };
};

// What a caller's own getter throws comes through as it is.
const thrown = 'throw Object.assign(new Error("read"), { name: "CleanclipError", code: "ERR_GETTER" });';

/** JavaScript values that no operator takes, as source text. */
exports.wrongValues = [
  'undefined',
  'null',
  '"x"',
  '({})',
  '[]',
  '[[[]]]',
  'NaN',
  '(() => 1)',
  'Symbol("x")',
  '2n ** 70n',
  '1e300',
  'true',
  'new Float32Array(3)',
  'new Date(0)',
  '[1, null, "a"]',
  '({ out: 1 })',
  'new Proxy({}, {})',
  `new Proxy([], { get() { ${thrown} } })`,
  '[Symbol("x")]',
  '[,]',
  '[t, t]',
  `({ get dim() { ${thrown} } })`,
  '(() => { const a = []; a.push(a); return a; })()',
  'new Uint8Array(new SharedArrayBuffer(4))',
  '(() => { const a = new Float32Array(4); structuredClone(a.buffer, { transfer: [a.buffer] }); return a; })()',
  'new Float64Array(new ArrayBuffer(8, { maxByteLength: 64 }))',
  'new DataView(new ArrayBuffer(8))',
  'new Map([[1, 2]])',
  '-0',
  '"\\0"',
  '"cuda"',
  't.zeros',
  'Object.create(t.Tensor.prototype)',
  '(() => { const a = t.ones([2]); a.dispose(); return a; })()',
  'new t.Generator(1)',
  'Buffer.alloc(8)',
  '2n ** 63n',
  '{}.x',
];
