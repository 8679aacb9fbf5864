import fc from 'fast-check';
import { parsePythonLiteral, type PythonValue, type TextTemplate } from '../../src/data/python_literal';

const read = (source: string): PythonValue => parsePythonLiteral(source, 'classes.py');
const fill = (source: string): string => (read(source) as TextTemplate).parts.join('cat');

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
  expect(read(String.raw`["a\tb\n\\\'\"\x41\u00e9\U0001F98A\101\q", r"\n", 'it''s' " ok", u"ü", """two
lines""", 'a\
b', f"{{}}"]`)).toEqual(['a\tb\n\\\'"Aé🦊A\\q', '\\n', 'its ok', 'ü', 'two\nlines', 'ab', '{}']);
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
])('%s', (source, expected) => expect(fill(source)).toBe(expected));

test.each([
  ['open("/etc/passwd")', /line 1: expected a dict, list, string, number or lambda, found "open"/],
  ['{"a": [1,\n2,\n__import__("os").system("true")]}', /line 3: .* found "__import__"/],
  ['[lambda s: f"{s.upper()}"]', /only the name of the lambda in the braces, found "{s.upper\(\)}"/],
  ['[lambda s: f"{t}"]', /only the name of the lambda/],
  ['[lambda s: t]', /expected a string or s, found "t"/],
  ['f"{s}"', /only the name of the lambda/],
  ['["a".upper()]', /expected .*found "\.upper"/],
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

test('any text either parses or is refused with one sentence', () => {
  const pieces = fc.constantFrom('{', '}', '[', ']', '(', ')', ',', ':', '"', "'", 'f"', '\\', 'lambda s:', 's', '+', '.format(s)', '1', ' ', '\n', '#');
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
      try {
        read(parts.join(''));
      } catch (error) {
        expect(error).toMatchObject({ code: 'ERR_DATA', message: expect.stringMatching(/^classes\.py, line \d+: expected [^]*\.$/) });
      }
    }),
    { numRuns: 2000 },
  );
});
