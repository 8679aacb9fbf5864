import { charactersOf, codepages, readC1 } from './codepages';
import { looksGarbled } from './mojibake_signs';

// Below, "bytes" are strings of characters U+0000–U+00FF, one per byte.

const continuation = charactersOf(0x80, 0xbf);
/** Characters that may stand for themselves before a UTF-8 sequence: dashes, quotes, bullet, ellipsis. */
const ambiguous = /[‘’‚“”„•–—―…]/g;

/** Runs of characters whose bytes would be UTF-8 sequences. A space may have been a no-break space. */
const EMBEDDED_UTF8 = new RegExp(
  `(?<![${continuation.replace(ambiguous, '')}])(?:` +
    `[${charactersOf(0xc2, 0xdf)}][ ${continuation}]|` +
    `[${charactersOf(0xe0, 0xef)}][ ${continuation}]{2}|` +
    `[${charactersOf(0xf0, 0xf0)}${charactersOf(0xf3, 0xf3)}][ ${continuation}]{3})+`,
  'gu',
);

/** UTF-8 sequences of common characters in which byte A0 became a space. */
const SPACED_UTF8 = new RegExp(
  [
    '[\xc2\xc3\xc5\xce\xd0\xd9] ',
    '[\xe2\xe3] [\x80-\x84\x86-\x9f\xa1-\xbf]',
    '[\xe0-\xe3][\x80-\x84\x86-\x9f\xa1-\xbf] ',
    '\xf0 [\x80-\xbf]{2}',
    '\xf0[\x80-\xbf] [\x80-\xbf]',
    '\xf0[\x80-\xbf]{2} ',
  ].join('|'),
  'g',
);

/** Matches "Ã " for the word à, whose space stays. It excludes the Portuguese àquele, àquela, àquilo and às. */
const A_GRAVE_WORD = /\xc3 (?! |quele|quela|quilo|s )/g;

/** UTF-8 sequences in which bytes were lost: 0x1A or a question mark stands for them. */
const LOSSY_UTF8 = new RegExp(
  [
    '[\xc2-\xdf]\x1a',
    '[\xc2\xc3]\\?',
    '\xed[\xa0-\xaf][\x1a?]\xed[\xb0-\xbf][\x1a?\x80-\xbf]',
    '\xed[\xa0-\xaf][\x1a?\x80-\xbf]\xed[\xb0-\xbf][\x1a?]',
    '[\xe0-\xef][\x1a?][\x1a\x80-\xbf]',
    '[\xe0-\xef][\x1a\x80-\xbf][\x1a?]',
    '[\xf0-\xf4][\x1a?][\x1a\x80-\xbf]{2}',
    '[\xf0-\xf4][\x1a\x80-\xbf][\x1a?][\x1a\x80-\xbf]',
    '[\xf0-\xf4][\x1a\x80-\xbf]{2}[\x1a?]',
    '\x1a',
  ].join('|'),
  'g',
);
const REPLACEMENT_BYTES = '\xef\xbf\xbd';

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Decodes UTF-8, or its variants CESU-8 and Java's (U+0000 as C0 80); null when the bytes are none of these.
 */
function decodeUtf8(bytes: string): string | null {
  const standard = bytes
    .replace(/\xed([\xa0-\xaf])([\x80-\xbf])\xed([\xb0-\xbf])([\x80-\xbf])/g, (...pair: string[]) => {
      const [a, b, c, d] = pair.slice(1, 5).map((byte) => byte.charCodeAt(0));
      const codePoint = 0x10000 + ((a & 0x0f) << 16) + ((b & 0x3f) << 10) + ((c & 0x0f) << 6) + (d & 0x3f);
      return Buffer.from(String.fromCodePoint(codePoint)).toString('latin1');
    })
    .replaceAll('\xc0\x80', '\0');
  try {
    return strictUtf8.decode(Buffer.from(standard, 'latin1'));
  } catch {
    return null;
  }
}

/** Decodes text as the UTF-8 that was misread in a one-byte encoding; null when no encoding fits. */
function undoMisreading(text: string): string | null {
  for (const { name, lossy, encode } of codepages) {
    let bytes = encode(text);
    if (bytes === null) continue;
    if (name !== 'macroman' && bytes.search(SPACED_UTF8) >= 0) {
      bytes = bytes
        .replace(A_GRAVE_WORD, '\xc3\xa0 ')
        .replace(SPACED_UTF8, (sequence) => sequence.replace(' ', '\xa0'));
    }
    if (lossy) bytes = bytes.replace(LOSSY_UTF8, REPLACEMENT_BYTES);
    const decoded = decodeUtf8(bytes);
    if (decoded !== null) return decoded;
  }
  return null;
}

function repairOnce(text: string): string {
  if (!looksGarbled(text)) return text;
  const whole = undoMisreading(text);
  if (whole !== null) return whole;
  const inParts = text.replace(EMBEDDED_UTF8, (part) => (part === text ? part : repairEncoding(part)));
  return inParts === text ? readC1(text) : inParts;
}

/**
 * Repairs mojibake: text whose UTF-8 bytes were decoded in one of the {@link codepages}, perhaps several times, perhaps
 * only in parts. Text without signs of mojibake is returned unchanged. Source: ftfy 6.3's `fix_encoding`.
 */
export function repairEncoding(text: string): string {
  for (;;) {
    const repaired = repairOnce(text);
    if (repaired === text) return text;
    text = repaired;
  }
}
