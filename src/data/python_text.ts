import { dataError } from '../errors';

const LONGEST = 1 << 20; // characters of a filled template

/** A piece of a template: a constant, the name, or another template. */
type Piece = string | typeof NAME | TextTemplate;

/** Stands for the argument of a lambda. */
export const NAME = Symbol('name');

/** A method of a string. */
export type TextMethod = (text: string) => string;

/** A string with placeholders for one name. Methods are applied to the filled string. */
export class TextTemplate {
  /** whether it contains the name */
  readonly hasName: boolean;

  constructor(
    private readonly pieces: readonly Piece[],
    private readonly methods: readonly TextMethod[] = [],
  ) {
    this.hasName = pieces.some((piece) => piece === NAME || (piece instanceof TextTemplate && piece.hasName));
  }

  /**
   * Returns the string with the name in place of its placeholders.
   * @throws CleanclipError ERR_DATA when the string has more than 2^20 characters
   */
  fill(name: string): string {
    let text = '';
    for (const piece of this.pieces) {
      text += piece === NAME ? name : piece instanceof TextTemplate ? piece.fill(name) : piece;
      checkLength(text.length);
    }
    for (const method of this.methods) text = method(text);
    return text;
  }
}

function checkLength(length: number): void {
  if (length > LONGEST)
    throw dataError(`A template makes a string of more than ${LONGEST} characters: expected a caption.`);
}

// The white space that Python's str.strip removes.
const SPACE = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';

const escapeClass = (characters: string): string => characters.replace(/[\\\]^-]/g, '\\$&');

function strip(text: string, characters: string | undefined, start: boolean, end: boolean): string {
  const set = characters === undefined ? SPACE : characters === '' ? '(?!)' : `[${escapeClass(characters)}]`;
  const inside = new RegExp(set, 'u');
  const all = [...text];
  let first = 0;
  let last = all.length;
  while (start && first < last && inside.test(all[first])) first++;
  while (end && last > first && inside.test(all[last - 1])) last--;
  return all.slice(first, last).join('');
}

function capitals(word: string): string {
  const [first = ''] = word;
  const [capital, ...others] = first.toUpperCase();
  return (capital ?? '') + others.join('').toLowerCase() + word.slice(first.length).toLowerCase();
}

function replaceAll(text: string, from: string, to: string): string {
  const parts = from === '' ? ['', ...text, ''] : text.split(from);
  checkLength(text.length + (parts.length - 1) * (to.length - from.length));
  return parts.join(to);
}

/** The methods of Python's `str` that templates may use, with the least and most arguments that they take. */
export const textMethods: Readonly<
  Record<string, { least: number; most: number; make: (...given: string[]) => TextMethod }>
> = {
  lower: { least: 0, most: 0, make: () => (text) => text.toLowerCase() },
  upper: { least: 0, most: 0, make: () => (text) => text.toUpperCase() },
  title: { least: 0, most: 0, make: () => (text) => text.replace(/\p{L}+/gu, capitals) },
  capitalize: { least: 0, most: 0, make: () => capitals },
  strip: { least: 0, most: 1, make: (characters) => (text) => strip(text, characters, true, true) },
  lstrip: { least: 0, most: 1, make: (characters) => (text) => strip(text, characters, true, false) },
  rstrip: { least: 0, most: 1, make: (characters) => (text) => strip(text, characters, false, true) },
  replace: { least: 2, most: 2, make: (from, to) => (text) => replaceAll(text, from, to) },
};
