import { Random } from '../../src/random';

const PARTS = {
  words: (
    'a the of with on photo dog cat banana airplane running beautiful woman children people city at night actor ' +
    "attends premiere red carpet 2 16 1984 3rd blue-eyed black&white AT&T it's don't we're they've I'm he'll " +
    "she'd rock'n'roll \"quoted\" (detail) e.g. U.S.A. #1 50% $20 @home http://example.com/a_b?c=1&d=2 <person> " +
    '<br/> [caption] supercalifragilisticexpialidocious antidisestablishmentarianism zzzzxqj'
  ).split(' '),
  accents: (
    'café naïve Zürich São Paulo Ångström señorita Łódź façade über œuvre Đà Nẵng İstanbul ΣΊΣΥΦΟΣ ΟΔΟΣ. Straße ' +
    'ÉCOLE piñata crème brûlée À la carte ñandú Þór ǅ ŉ Ĳssel e\u0301te\u0301 A\u030angstro\u0308m'
  ).split(' '),
  scripts: (
    'москва Київ ΑΘΗΝΑ αθήνα 東京タワー 日本語のテキスト 한국어 中文，测试。 שלום עולם العَرَبِيَّة مرحبا हिन्दी ไทย বাংলা தமிழ் ' +
    'ქართული Հայերեն ﻻ ｶﾞｷﾞ ＡＢＣ１２３ ｱｲｳ ￦ ①② Ⅷ ½ ² ٣ 〇'
  ).split(' '),
  emoji: (
    '😀 👍🏽 👨‍👩‍👧‍👦 🏳️‍🌈 🇩🇪 ❤️ ☺ ™ © ® ★ → … • – — ― ° € £ ¥ ‰ № ʻokina ‘single’ “double” „low“ ‚x‘ ' +
    '«guillemets» ‹x› ´ ` ′ ″ ‛ ʼ ﬁne ﬂow oﬃce ﬅop'
  ).split(' '),
  html: (
    '&amp; &amp;amp; &lt;b&gt; &quot;hi&quot; &nbsp; &hellip; &rsquo; &#39; &#x27; &#8217; &eacute; &EACUTE; ' +
    '&NBSP; &copy &notit; &ltimes &amp;lt; &#128; &#xD83D; &#0; &#x1F600; &#1; &unknown; &;  &# &#x; &Jscr; ' +
    '&frac12 AT&ampT &amp;#8220;x&amp;#8221; &#65279; &#133; &Tab; &NewLine; &lang; &apos; &COPY; &SZLIG;'
  ).split(' '),
  spaces: [
    '\t',
    '\n',
    '\r\n',
    '\r',
    '\u00a0',
    '\u2003',
    '\u3000',
    '\u2028',
    '\u0085',
    '\u200b',
    '\ufeff',
    '\u200d',
    '\u00ad',
    '\x0b',
    '\x0c',
    '\x1c',
    '\x1b[31m',
    '\x1b[0m',
    '\x07',
    '\x00',
    '\x7f',
    '\u2060',
    '\ufffc',
    '\u1680',
    '\u180e',
    '\u205f',
  ],
};
const KINDS = Object.keys(PARTS) as (keyof typeof PARTS)[];

const MISREADINGS = [
  'windows-1252',
  'windows-1251',
  'windows-1250',
  'windows-1253',
  'windows-1254',
  'windows-1257',
  'iso-8859-2',
  'macintosh',
  'latin1',
];

/** The text as it looks when its UTF-8 is read in a one-byte encoding. */
function misread(text: string, encoding: string): string {
  const bytes = Buffer.from(text, 'utf8');
  return encoding === 'latin1' ? bytes.toString('latin1') : new TextDecoder(encoding).decode(bytes);
}

/**
 * Captions of every kind that text on the web has: plain, accented, other scripts, emoji, HTML, broken in many ways.
 */
export function captions(count: number, seed: number): string[] {
  const random = new Random(seed);
  const phrase = (length: number, kinds: readonly (keyof typeof PARTS)[]): string =>
    Array.from({ length }, () => random.choice(PARTS[random.next() < 0.5 ? 'words' : random.choice(kinds)])).join(' ');
  const garbled = (text: string): string => {
    const once = misread(text, random.choice(MISREADINGS));
    const spoilt = random.choice([
      once,
      once,
      misread(once, 'windows-1252'),
      once.replaceAll('\u00a0', ' '),
      once.toLowerCase(),
    ]);
    return random.next() < 0.3 ? `${phrase(3, ['emoji', 'accents'])} ${spoilt}` : spoilt;
  };
  const makers: (() => string)[] = [
    () => phrase(1 + random.int(14), ['words']),
    () => phrase(1 + random.int(14), ['words', 'accents', 'emoji']),
    () => phrase(1 + random.int(10), KINDS),
    () => phrase(1 + random.int(10), ['html', 'spaces', 'emoji']),
    () => garbled(phrase(1 + random.int(6), ['accents', 'scripts', 'emoji'])),
    () => garbled(phrase(1 + random.int(6), ['accents'])),
    () => phrase(60 + random.int(280), KINDS),
    () => Array.from({ length: 1 + random.int(12) }, () => random.choice(PARTS[random.choice(KINDS)])).join(''),
    () =>
      String.fromCharCode(
        ...Array.from(
          { length: 1 + random.int(30) },
          () => random.choice([0x20, 0x61, 0x80, 0xc0, 0x370, 0x400, 0x2000]) + random.int(0x60),
        ),
      ),
  ];
  return Array.from({ length: count }, (_, i) => makers[i % makers.length]());
}
