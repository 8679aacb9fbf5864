import { checkText } from '../errors';
import { readC1 } from './codepages';
import { orderMarks } from './combining';
import { unescapeHtml, unescapePlainEntities } from './html_entities';
import { repairEncoding } from './mojibake';

/** Matches text that needs no repair: printable ASCII and white space, without `&`. */
const PLAIN = /^[\t\n\f\r\x20-\x25\x27-\x7e]*$/;

/** Unicode's white space except the space. Unlike JavaScript's `\s`, it has U+0085 and lacks U+FEFF. */
const ODD_SPACE = '[\\t-\\r\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
/** Matches white space that is not a single space. */
const UNTIDY_SPACES = new RegExp(` *${ODD_SPACE}(?: |${ODD_SPACE})*| {2,}`, 'g');

const LIGATURES = /[ĲĳŉǄ-ǌǱ-ǳﬀ-ﬆ]/g;
const WIDTHS = /[\u3000\uff01-\uffef]/g;
/* eslint-disable no-control-regex -- control characters are what these find */
const TERMINAL_ESCAPES = /\x1b\[[\p{Nd};]*[a-zA-Z]/gu;
const CONTROLS = /[\x00-\x08\x0b\x0e-\x1f\x7f\u206a-\u206f\ufeff\ufff9-\ufffc]/g;
/* eslint-enable no-control-regex */

const separateLigature = (ligature: string): string => (ligature === 'ﬅ' ? 'ſt' : ligature.normalize('NFKC'));

/**
 * Repairs single characters (ligatures, full-width and half-width forms, quotes, line breaks, lone surrogates, control
 * characters), then applies NFC.
 */
function mendCharacters(text: string): string {
  const mended = readC1(text)
    .replace(LIGATURES, separateLigature)
    .replace(WIDTHS, (character) => character.normalize('NFKC'))
    .replace(/[“-‟]/g, '"')
    .replace(/[ʼ‘-‛]/g, "'")
    .replace(/\r\n?|[\u2028\u2029\x85]/g, '\n')
    .replace(/\p{Surrogate}/gu, '\ufffd')
    .replace(TERMINAL_ESCAPES, '')
    .replace(CONTROLS, '');
  return orderMarks(mended).normalize('NFC');
}

/** Matches the rest of an HTML reference to an ampersand, after its own `&`. */
const AMPERSAND = /(?:amp|AMP|#0{0,20}38|#[xX]0{0,20}26);/y;

/** Shortens a chain such as `&amp;amp;amp;` to `&amp;`, because each pass would unescape only its first ampersand. */
function joinAmpersands(line: string): string {
  let joined = '';
  let from = 0;
  for (let at = line.indexOf('&'); at >= 0; at = line.indexOf('&', at + 1)) {
    let names = 0;
    let end = at + 1;
    for (AMPERSAND.lastIndex = end; AMPERSAND.test(line); names++) end = AMPERSAND.lastIndex;
    if (names < 2) continue;
    joined += `${line.slice(from, at)}&amp;`;
    from = end;
  }
  return joined + line.slice(from);
}

/** Repairs one line until nothing changes. */
function mendLine(line: string, unescape: boolean): string {
  for (;;) {
    if (unescape) line = joinAmpersands(line);
    const mended = mendCharacters(repairEncoding(unescape ? unescapePlainEntities(line) : line));
    if (mended === line) return line;
    line = mended;
  }
}

/**
 * Does what ftfy's `fix_text` does, line by line. From the first line with a `<` on, the text counts as HTML, and its
 * entities stay.
 */
function mendText(text: string): string {
  let unescape = true;
  return text
    .split(/(?<=\n)/)
    .map((line) => {
      unescape &&= !line.includes('<');
      return mendLine(line, unescape);
    })
    .join('');
}

const collapseSpaces = (text: string): string => text.replace(UNTIDY_SPACES, ' ').replace(/^ | $/g, '');

/**
 * Cleans a caption as OpenAI's CLIP does before it tokenizes. It repairs broken text (as Python's `ftfy.fix_text`
 * does), decodes HTML entities twice, collapses and trims white space, and lower-cases.
 *
 * @param text a caption
 * @returns the clean caption; `''` when nothing is left
 * @throws {CleanclipError} `ERR_OPTION` when `text` is not a string
 * @example
 * ```ts
 * cleanText('  A caf&eacute;\n at NIGHT '); // 'a café at night'
 * ```
 */
export function cleanText(text: string): string {
  checkText('The text of cleanText', text);
  const mended = PLAIN.test(text) ? text : unescapeHtml(unescapeHtml(mendText(text)));
  return collapseSpaces(mended).toLowerCase();
}
