const range = (first: number, last: number): string =>
  String.fromCharCode(...Array.from({ length: last - first + 1 }, (_, i) => first + i));

const C1 = range(0x80, 0x9f);
const LATIN1 = range(0xa0, 0xff);

/**
 * The characters of bytes 0x80–0xFF in the one-byte encodings that UTF-8 is commonly misread as, in the order they are
 * tried. A byte that an encoding leaves undefined stands for the Latin-1 character of that number.
 */
const HIGH_HALVES = {
  'latin-1': C1 + LATIN1,
  'windows-1252': '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ' + LATIN1,
  'windows-1251':
    'ЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ‘’“”•–—\x98™љ›њќћџ\xa0ЎўЈ¤Ґ¦§Ё©Є«¬\xad®Ї°±Ііґµ¶·ё№є' +
    '»јЅѕїАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдежзийклмнопрстуфхцчшщъыьэюя',
  'windows-1250':
    '€\x81‚\x83„…†‡\x88‰Š‹ŚŤŽŹ\x90‘’“”•–—\x98™š›śťžź\xa0ˇ˘Ł¤Ą¦§¨©Ş«¬\xad®Ż°±˛ł´' +
    'µ¶·¸ąş»Ľ˝ľżŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢßŕáâăäĺćçčéęëěíîďđńňóôőö÷řůúűüýţ˙',
  'windows-1253':
    '€\x81‚ƒ„…†‡\x88‰\x8a‹\x8c\x8d\x8e\x8f\x90‘’“”•–—\x98™\x9a›\x9c\x9d\x9e\x9f\xa0΅Ά£¤¥¦§¨©ª' +
    '«¬\xad®―°±²³΄µ¶·ΈΉΊ»Ό½ΎΏΐΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡÒΣΤΥΦΧΨΩΪΫάέήίΰαβγδεζηθικλμνξοπρςστυφχψωϊϋόύώÿ',
  'windows-1254':
    '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8d\x8e\x8f\x90‘’“”•–—˜™š›œ\x9d\x9eŸ\xa0¡¢£¤¥¦§¨©ª«¬\xad®¯°±' +
    '²³´µ¶·¸¹º»¼½¾¿ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏĞÑÒÓÔÕÖ×ØÙÚÛÜİŞßàáâãäåæçèéêëìíîïğñòóôõö÷øùúûüışÿ',
  'windows-1257':
    '€\x81‚\x83„…†‡\x88‰\x8a‹\x8c¨ˇ¸\x90‘’“”•–—\x98™\x9a›\x9c¯˛\x9f\xa0¡¢£¤¥¦§Ø©Ŗ«¬\xad' +
    '®Æ°±²³´µ¶·ø¹ŗ»¼½¾æĄĮĀĆÄÅĘĒČÉŹĖĢĶĪĻŠŃŅÓŌÕÖ×ŲŁŚŪÜŻŽßąįāćäåęēčéźėģķīļšńņóōõö÷ųłśūüżž˙',
  'iso-8859-2':
    C1 + '\xa0Ą˘Ł¤ĽŚ§¨ŠŞŤŹ\xadŽŻ°ą˛ł´ľśˇ¸šşťź˝žżŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢßŕáâăäĺćçčéęëěíîďđńňóôőö÷řůúűüýţ˙',
  macroman:
    'ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø¿¡¬√' +
    'ƒ≈∆«»…\xa0ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›ﬁﬂ‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\uf8ffÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ',
  cp437:
    'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└' +
    '┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\xa0',
};

/**
 * A one-byte encoding. A byte string is a string of characters U+0000–U+00FF, one per byte, so that regular expressions
 * work on it.
 */
export interface Codepage {
  readonly name: keyof typeof HIGH_HALVES;
  /** Whether U+FFFD stands for a lost byte; it is encoded as byte 0x1A. */
  readonly lossy: boolean;
  /** The characters of bytes 0x80–0xFF. */
  readonly high: string;
  /** The bytes of `text`, or null when this encoding lacks one of its characters. */
  encode(text: string): string | null;
}

function codepage([name, high]: [string, string]): Codepage {
  const lossy = name.startsWith('windows');
  const bytes = new Map([...high].map((character, i) => [character, String.fromCharCode(0x80 + i)]));
  if (lossy) bytes.set('\ufffd', '\x1a');
  const encode = (text: string): string | null => {
    let encoded = '';
    for (const character of text) {
      const byte = character < '\x80' && !(lossy && character === '\x1a') ? character : bytes.get(character);
      if (byte === undefined) return null;
      encoded += byte;
    }
    return encoded;
  };
  return { name: name as Codepage['name'], lossy, high, encode };
}

/** The encodings in the order they are tried. */
export const codepages: readonly Codepage[] = Object.entries(HIGH_HALVES).map(codepage);

/**
 * The characters of bytes `first`–`last` (within 0x80–0xFF) in Latin-1 and the windows encodings, as the inside of a
 * regular expression's character class.
 */
export function charactersOf(first: number, last: number): string {
  const akin = codepages.filter(({ name, lossy }) => lossy || name === 'latin-1');
  return [...new Set(akin.flatMap(({ high }) => [...high.slice(first - 0x80, last - 0x7f)]))].join('');
}

/** Replaces C1 control characters by the characters that windows-1252 has for these bytes. */
export const readC1 = (text: string): string =>
  text.replace(/[\x80-\x9f]/g, (control) => HIGH_HALVES['windows-1252'][control.charCodeAt(0) - 0x80]);
