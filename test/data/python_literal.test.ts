import fc from 'fast-check';

import { parsePythonLiteral, type PythonValue, type TextTemplate } from '../../src/data/python_literal';

const read = (source: string): PythonValue => parsePythonLiteral(source, 'classes.py');
const fill = (source: string): string => (read(source) as TextTemplate).fill('cat');

test('dicts, lists, tuples, numbers, constants and comments are read', () => {
  const value = read(`# classes
  {
    "classes": ["tench", 'great white shark',],  # two
    "pairs": ((1, -2.5e1), (3,), (4), ()), "flags": [True, False, None],
  }
  `);
  expect(value).toEqual(
    new Map<PythonValue, PythonValue>([
      ['classes', ['tench', 'great white shark']],
      ['pairs', [[1, -25], [3], 4, []]],
      ['flags', [true, false, null]],
    ]),
  );
});

test('strings are what Python reads', () => {
  expect(
    read(String.raw`["a\tb\n\\\'\"\x41\u00e9\U0001F98A\101\q", r"\n", 'it''s' " ok", u"ü", """two
lines""", 'a\
b', f"{{}}"]`),
  ).toEqual(['a\tb\n\\\'"Aé🦊A\\q', '\\n', 'its ok', 'ü', 'two\nlines', 'ab', '{}']);
});

test.each([
  ['lambda s: f"a photo of a {s}."', 'a photo of a cat.'],
  ['lambda c : f"{ c }{c}"', 'catcat'],
  ["lambda c: f'{{{c}}} {{c}}'", '{cat} {c}'],
  ["lambda c: 'a photo of a {}.'.format(c)", 'a photo of a cat.'],
  ["lambda c: 'a ' + c + ' here'", 'a cat here'],
  ["lambda c: ('a ' f'{c}' ' and ' + (c))", 'a cat and cat'],
  ['lambda name: name', 'cat'],
  [String.raw`lambda s: rf"\d {s}"`, '\\d cat'],
  ["lambda c: 'a {} or {}'.format(c, c)", 'a cat or cat'],
  ["lambda c: '{1} {0} {x}'.format(c.upper(), 'the', x=c)", 'the CAT cat'],
  ["lambda c: 'a %s, 100%%' % c", 'a cat, 100%'],
  ["lambda c: '%s and %s' % (c, c.title())", 'cat and Cat'],
  ["lambda c: 'A Photo Of {}'.format(c).lower()", 'a photo of cat'],
  ["lambda c: c.replace('a', 'oa').capitalize() + '.'", 'Coat.'],
  ["lambda c: f\"a {c.replace('c', 'b').upper()} {c!s}\"", 'a BAT cat'],
  ["lambda c: '  x '.strip() + ' y'.lstrip() + 'z '.rstrip() + '--w-'.strip('-') + str(c)", 'xyzwcat'],
  ["lambda c: (f'{c}' ' of ').title() + \"it's\".title()", "Cat Of It'S"],
])('%s', (source, expected) => expect(fill(source)).toBe(expected));

test.each([
  ['open("/etc/passwd")', /line 1: expected a dict, list, string, number or lambda, found "open"/],
  ['{"a": [1,\n2,\n__import__("os").system("true")]}', /line 3: .* found "__import__"/],
  [
    '[lambda s: f"{s.encode()}"]',
    /line 1: expected one of \.lower, .*\.format, found "\.encode"; or write the file as JSON: \{"classes"/,
  ],
  ['[lambda s: f"{t}"]', /expected a string or s, found "t"/],
  ['[\n\nlambda s: f"{s:>10}"]', /line 3: expected only a string in the braces, found ":"/],
  ['[lambda s: s[0]]', /expected ",", found "\["/],
  ['[lambda s: s if s else "x"]', /expected ",", found "if"/],
  ['[lambda s: "{} {}".format(s)]', /expected an argument of \.format/],
  ['[lambda s: "{} {0}".format(s)]', /expected an argument of \.format/],
  ['[lambda s: "%d" % s]', /only %s and %%/],
  ['[lambda s: "%s" % (s, s)]', /a %s for each value/],
  ['[lambda s: s.replace("a")]', /2 strings in \.replace/],
  ['[lambda s: s.constructor("a")]', /expected one of .*found "\.constructor"/],
  ['[lambda c: f\'{c.replace("a", "\\n")}\']', /expected/],
  ['[lambda s: t]', /expected a string or s, found "t"/],
  ['f"{s}"', /expected a string, found "s"/],
  ['["a".join("b")]', /expected .*found "\.join"/],
  ['{"a": 1', /expected ",", found the end/],
  ['{"a": 1} + 2', /expected the end of the file, found "\+"/],
  ['"no end', /expected " to close the string/],
  ['"no\nend"', /line 1: expected " to close the string/],
  ['b"bytes"', /expected a text string/],
  ['"\\x4"', /expected a complete escape/],
  ['"\\U00110000"', /expected a complete escape/],
  ['', /found the end/],
  ['['.repeat(100_000), /at most 100 nested brackets/],
  [`lambda s: ${'('.repeat(100_000)}`, /at most 100 nested brackets/],
])('anything else is refused with its line (%#)', (source, message) => {
  let error: unknown;
  try {
    read(source);
  } catch (caught) {
    error = caught;
  }
  expect(error).toMatchObject({ code: 'ERR_DATA', message: expect.stringMatching(message) });
});

test('texts of lists may be put together, and nothing grows without bounds', () => {
  expect(read("['a' + 'b', 'c'.upper(), 'x' 'y' + \"z\"]")).toEqual(['ab', 'C', 'xyz']);
  const growing = read(`lambda s: s${".replace('a', 'aaaaaaaaaa')".repeat(50)}`) as TextTemplate;
  expect(() => growing.fill('cat')).toThrow(/more than 1048576 characters/);
});

test('long files take time in proportion', () => {
  const begin = performance.now();
  const terms = read(`lambda s: ${'s+'.repeat(200_000)}s`) as TextTemplate;
  expect(terms.fill('ab')).toBe('ab'.repeat(200_001));
  expect(read(`${' '.repeat(16_000_000)}1${'#\n'.repeat(100_000)}`)).toBe(1);
  expect(() => read(`lambda s: s${'.lower()'.repeat(5000)}`)).toThrow(/fewer methods in a row/);
  expect(() => read(`lambda s: ${"f'{".repeat(200)}`)).toThrow(/expected/);
  expect(performance.now() - begin).toBeLessThan(30_000);
});

test('any text either parses or is refused with one sentence', () => {
  const pieces = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    '(',
    ')',
    ',',
    ':',
    '"',
    "'",
    'f"',
    '\\',
    'lambda s:',
    's',
    '+',
    '.format(s)',
    '.lower()',
    ".replace('a', 'b')",
    '%s',
    '%',
    'f"{s}"',
    'str(',
    '1',
    ' ',
    '\n',
    '#',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
      try {
        read(parts.join(''));
      } catch (error) {
        expect(error).toMatchObject({
          code: 'ERR_DATA',
          message: expect.stringMatching(/^classes\.py, line \d+: expected [^]*\.$/),
        });
      }
    }),
    { numRuns: 2000 },
  );
});
