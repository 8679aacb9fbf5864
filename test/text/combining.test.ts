import fc from 'fast-check';

import { orderMarks } from '../../src/text/combining';

const marks = [
  '\u0301',
  '\u0316',
  '\u0334',
  '\u0345',
  '\u05b0',
  '\u0344',
  '\u034f',
  '\u093e',
  '\u3099',
  '\u0f71',
  '\u0f72',
  '\u1dce',
  '\u0327',
  '\u{1d165}',
  '\u0340',
  '\u20dd',
  '\ufe0f',
];

test('normalisation gives the same with or without it', () => {
  const mark = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...marks) },
    { weight: 1, arbitrary: fc.constantFrom('e', '가', ' ') },
  );
  fc.assert(
    fc.property(fc.array(mark, { minLength: 30, maxLength: 150 }), (characters) => {
      const text = characters.join('');
      expect(orderMarks(text).normalize('NFC')).toBe(text.normalize('NFC'));
    }),
    { numRuns: 500 },
  );
  const all = Array.from({ length: 0x3000 }, (_, i) => String.fromCharCode(i))
    .filter((character) => /\p{M}/u.test(character))
    .reverse()
    .join('');
  expect(orderMarks(`e${all}${all}`).normalize('NFC')).toBe(`e${all}${all}`.normalize('NFC'));
});

test('long runs take time in proportion', () => {
  const begin = performance.now();
  const text = orderMarks(`e${'\u0301\u0316'.repeat(200_000)}`).normalize('NFC');
  expect(text).toBe(`é${'\u0316'.repeat(200_000)}${'\u0301'.repeat(199_999)}`);
  expect(performance.now() - begin).toBeLessThan(30_000);
});
