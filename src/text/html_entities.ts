import { decodeHTML, decodeHTMLStrict } from 'entities';

import { readC1 } from './codepages';

// eslint-disable-next-line no-control-regex -- control characters are what this finds
const FORBIDDEN = /[\x01-\x08\x0b\x0e-\x1f\x7f\p{Noncharacter_Code_Point}]/u;

/** The character of a numeric reference; `''` for one that HTML forbids. */
function numericReference(codePoint: number): string {
  if (codePoint === 0 || codePoint > 0x10ffff || (codePoint >= 0xd800 && codePoint <= 0xdfff)) return '\ufffd';
  if (codePoint >= 0x80 && codePoint <= 0x9f) return readC1(String.fromCodePoint(codePoint));
  const character = String.fromCodePoint(codePoint);
  return FORBIDDEN.test(character) ? '' : character;
}

/** Decodes HTML 5 entities as Python's `html.unescape` does, even those that lack the semicolon. */
export function unescapeHtml(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(
    /&(?:#([0-9]+);?|#[xX]([0-9a-fA-F]+);?|[^\t\n\f <&#;]{1,32};?)/gu,
    (reference, decimal?: string, hex?: string) => {
      if (decimal !== undefined) return numericReference(parseInt(decimal, 10));
      if (hex !== undefined) return numericReference(parseInt(hex, 16));
      return decodeHTML(reference);
    },
  );
}

/**
 * Decodes only entities that end in a semicolon, as ftfy's `unescape_html` does. A name in capitals that HTML does not
 * define (`&EACUTE;`) gives the upper case of the character.
 */
export function unescapePlainEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&#?[0-9A-Za-z]{1,24};/g, (reference) => {
    if (reference.startsWith('&#')) {
      const character = unescapeHtml(reference);
      return character.includes(';') ? reference : character;
    }
    const named = decodeHTMLStrict(reference);
    if (named !== reference || reference !== reference.toUpperCase() || decodeHTML(reference) !== reference)
      return named;
    const small = reference.toLowerCase();
    const character = decodeHTMLStrict(small);
    return character === small ? reference : character.toUpperCase();
  });
}
