/**
 * The signs of text that was decoded with a wrong encoding: pairs and triples of characters that are very rare in other
 * text. The classes and rules are those of ftfy 6.3 (Robyn Speer).
 */

const space = '\\t-\\r\\x1c- \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const c1 = '\\x80-\\x9f';
const common = '\\xa0\\xad´·–—―’…';
const bad = '¤¦¨ª¬¯¸ºƒˆˇ˘˛˜†‡‰⌐◊\\ufffd';
const law = '§¶';
const currency = '¢£¥₧€';
const open = '¡©«¿΄΅‘‚“„•‹\\uf8ff';
const close = '®»˝”›™';
const numeric = '±²³µ¹¼½¾×÷⁄№∂∆∏∑√∞∩∫≈≠≡≤≥';
const box = '│┌┐┘├┤┬┼═-╬▀▄█▌▐░▒▓';
const faces = '°Ò-ÖÙ-Üò-öø-üŌŐŪŲ';
const upper = 'À-ÑØÜÝĀĂĄĆČĎĐĒĖĘĚĞĢĪİĶĹĻĽŁŃŅŇŒŘŚŞŠŢŤŮŰŸŹŻŽҐ';
const lower = 'ßà-ñüāăąćčďđēėęěğģīįķĺļľłœŕśşšťźżžґﬁﬂ';
const upperPlain = 'ÞΆΈΉΊΌΎΏΑ-ΩΪΫЁ-Я';
const lowerPlain = 'άέήίΰα-ωа-џ';

const symbols = box + open + close + currency + numeric + law;

const SIGNS = [
  `[${c1}]`,
  `[${bad}${lower}${upper}${symbols}][${bad}]`,
  `[a-zA-Z][${lowerPlain}${upperPlain}][${bad}]`,
  `[${bad}][${lower}${upper}${symbols}]`,
  `[${lower}${lowerPlain}${box}${close}${currency}${numeric}][${upper}]`,
  `[${box}${close}${currency}${numeric}][${lower}]`,
  `[${lower}${box}${close}][${currency}]`,
  `[${space}][${upper}][${currency}]`,
  `[${upper}${box}][${numeric}${law}]`,
  `[${lower}${upper}${box}${currency}${close}][${open}][${numeric}]`,
  `[${lower}${upper}${currency}${numeric}${box}${law}][${close}][${open}]`,
  `[${currency}${numeric}${box}][${open}]`,
  `[a-z][${upper}][${open}${currency}]`,
  `[${box}][${faces}${close}]`,
  `[${lower}${upper}${currency}${numeric}${open}${close}${law}][${box}]`,
  `[${lower}${upper}][${open}${close}][\\p{L}\\p{N}_]`,
  `[Œœ][^A-Za-z]`,
  `[${upper}]°`,
  // UTF-8 read as windows-1252: two-byte characters, Arabic, South Asian scripts
  `[ÂÃÎÐ][€œŠš¢£Ÿž\\xa0\\xad®©°·»–—´${open}${close}]`,
  `×[²³]`,
  `(?:[ØÙ][${common}${currency}${bad}${numeric}${open}ŸŠ®°»]){2}`,
  `à[²µ¹¼½¾]`,
  // … as MacRoman
  `√[±∂†≠®™´≤≥¥µø]`,
  `≈[°¢]`,
  `‚Ä[ìîïòôúùû†°¢π]`,
  `‚[âó][àä°ê]`,
  // … as windows-1251, and that over Latin-1
  `вЂ`,
  `[ВГРС][${c1}${bad}${open}${close}${currency}°µ][ВГРС]`,
  `ГўВЂВ[^\\n][A-Za-z ]`,
  // à, á and the no-break space, whose second byte may have become a space
  `Ã[\\xa0¡]`,
  `[a-z][${space}]?[ÃÂ] `,
  `^[ÃÂ] `,
  `[a-z.,?!${close}]Â[ ${open}${close}]`,
  // … as windows-1253 and windows-1257
  `β€[™\\xa0Ά\\xad®°]`,
  `[ΒΓΞΟ][${c1}${bad}${open}${close}${currency}°][ΒΓΞΟ]`,
  `ā€`,
];

const GARBLED = new RegExp(SIGNS.join('|'), 'u');

/** Whether some of the text seems to have been decoded with a wrong encoding. */
export const looksGarbled = (text: string): boolean => GARBLED.test(text);
