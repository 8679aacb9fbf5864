import fc from 'fast-check';

import { cleanText } from '../../src/text/cleaning';

const misread = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

describe('cleanText', () => {
  test.each([
    ['plain text, white space and capitals', '  A Photo\tof\r\n a   DOG. ', 'a photo of a dog.'],
    ['curly quotes', '“It’s” ‘fine’', "\"it's\" 'fine'"],
    ['ligatures', 'ﬂubberiﬁc Ĳssel', 'flubberific ijssel'],
    ['widths', 'ＬＯＵＤ　ＮＯＩＳＥＳ ｶﾞ', 'loud noises ガ'],
    ['separated accents', 'cafe\u0301', 'café'],
    ['terminal escapes and controls', '\x1b[36;44mblue\x1b[0m\x00 \ufeffsky\x07', 'blue sky'],
    ['half a surrogate pair', 'x\ud83dy', 'x\ufffdy'],
    ['entities', 'P&eacute;rez &amp; P&EACUTE;REZ &hellip; &#x2019;', "pérez & pérez … '"],
    ['entities escaped twice', '&amp;lt;3 &amp;amp; more', '<3 & more'],
    ['entities without semicolon', 'fish &amp chips &notit;', 'fish & chips ¬it;'],
    ['numbers that HTML reads otherwise', 'a&#0;&#x80;&#xd800;&#1;z', 'a\ufffd€\ufffdz'],
    ['no entities', 'AT&T &; &# &unknown;', 'at&t &; &# &unknown;'],
    ['white space of Unicode but not U+200B', 'a\u2003\u00a0b\u3000c\u200bd', 'a b c\u200bd'],
    ['a final sigma', 'ΣΊΣΥΦΟΣ', 'σίσυφος'],
    ['nothing', ' \n ', ''],
  ])('%s', (_, given, expected) => expect(cleanText(given)).toBe(expected));

  test.each([
    ['UTF-8 as Latin-1', misread('Café ✔'), 'café ✔'],
    ['UTF-8 as Latin-1, twice', misread(misread('naïve')), 'naïve'],
    ['UTF-8 as windows-1252', 'âœ” No problems, itâ€™s fine', "✔ no problems, it's fine"],
    ['UTF-8 as windows-1251', 'itвЂ™s fine', "it's fine"],
    ['UTF-8 as MacRoman', 'caf√©', 'café'],
    ['a lost byte', 'â€œlikeâ€� this', '"like\ufffd this'],
    ['a no-break space that became a space', 'voilÃ le travail', 'voilà le travail'],
    ['only a part', 'Łódź – itâ€™s', "łódź – it's"],
    ['C1 controls', 'wait\x85 \x93what\x94', 'wait… "what"'],
    ['CESU-8', '\xed\xa0\xbd\xed\xb8\x80', '😀'],
  ])('mends mojibake: %s', (_, given, expected) => expect(cleanText(given)).toBe(expected));

  test.each(['crème brûlée', '東京タワー', 'שלום', 'москва', '👨‍👩‍👧 🇩🇪', '¿qué?', 'αθήνα', '(╯°□°)╯︵ ┻━┻'])(
    'leaves %s as it is',
    (text) => expect(cleanText(text)).toBe(text),
  );

  test('what is clean stays: lower case, one space, no space at the ends', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'aZ é\u00a0\t\n’ﬁＡ😀&;<#'.split('')), maxLength: 40 }),
        (text) => {
          const clean = cleanText(text);
          expect(clean).toBe(clean.trim().replace(/\s+/g, ' ').toLowerCase());
        },
      ),
    );
  });

  test('a caption of a megabyte takes less than ten seconds', () => {
    const started = performance.now();
    cleanText(misread('Łódź – it’s “fine” ').repeat(40_000));
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});
