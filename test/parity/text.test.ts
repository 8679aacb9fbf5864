import { cleanText } from '../../src/clip/text';
import { tokenIds } from '../../src/clip/tokenizer';
import { captions } from './captions';
import { python } from './python';

describe('text as the Python stack (ftfy, html, regex, BPE) reads it', () => {
  const length = 77;
  const given = captions(2500, 3);
  const expected = python('text.py', { captions: given, context_length: length }) as { texts: string[]; ids: number[][] };

  test('2,500 captions are cleaned alike', () => {
    const differing = given.map((caption, i) => ({ caption, ours: cleanText(caption), python: expected.texts[i] }));
    expect(differing.filter(({ ours, python }) => ours !== python)).toEqual([]);
  });

  test('their token ids are equal', () => {
    const ids = tokenIds(given, length, { compat: true });
    const rows = given.map((_, i) => Array.from(ids.subarray(i * length, (i + 1) * length), Number));
    expect(rows).toEqual(expected.ids);
  });
});
