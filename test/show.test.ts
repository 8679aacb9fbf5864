import { show } from '../src/show';

const cyclic: Record<string, unknown> = { a: 1 };
cyclic.self = cyclic;
const trap = new Proxy(
  {},
  {
    getPrototypeOf: () => {
      throw new Error('trap');
    },
  },
);

test.each<[unknown, string]>([
  ['a', "'a'"],
  [1.5, '1.5'],
  [NaN, 'NaN'],
  [undefined, 'undefined'],
  [null, 'null'],
  [10n, '10n'],
  [Symbol('s'), 'Symbol(s)'],
  [Math.max, 'the function max'],
  [{ a: [1n, Symbol('s'), undefined] }, '{"a":["1n","Symbol(s)",null]}'],
  [cyclic, '{"a":1,"self":"…"}'],
  [Object.create(null), '{}'],
  [new Map(), 'a Map'],
  [new Error('no'), "the error 'no'"],
  ['x'.repeat(1000), `'${'x'.repeat(80)}…'`],
  [trap, 'a value of type object'],
])('%# is shown', (value, text) => {
  expect(show(value)).toBe(text);
});
