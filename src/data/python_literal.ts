import { dataError } from '../errors';

/** What a Python literal is here; a lambda of one name that builds a string becomes a {@link TextTemplate}. */
export type PythonValue = string | number | boolean | null | TextTemplate | PythonValue[] | Map<PythonValue, PythonValue>;

/** A string with places for one name: `parts.join(name)` fills them. */
export class TextTemplate {
  constructor(readonly parts: readonly string[]) {}
}

const DEEPEST = 100;
const ESCAPES: Record<string, string> = {
  n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v', '\\': '\\', "'": "'", '"': '"', '\n': '',
};

/**
 * Reads a Python expression made of dicts, lists, tuples, strings, numbers, True, False, None and lambdas of one name
 * whose body is text with that name in it: an f-string, `"…" + name`, or `"…{}…".format(name)`. Nothing is executed.
 *
 * @param source the text of the file
 * @param file its name, for error messages
 * @throws CleanclipError ERR_DATA naming the line of the first thing that is none of these
 */
export function parsePythonLiteral(source: string, file: string): PythonValue {
  return new Parser(source.replace(/\r\n?/g, '\n').replace(/^\uFEFF/, ''), file).parse();
}

class Parser {
  private position = 0;
  private depth = 0;

  constructor(private readonly source: string, private readonly file: string) {}

  parse(): PythonValue {
    const value = this.value();
    if (this.peek() !== '') this.fail('the end of the file');
    return value;
  }

  private value(): PythonValue {
    if (++this.depth > DEEPEST) this.fail(`at most ${DEEPEST} nested brackets`);
    const value = this.valueInside();
    this.depth--;
    return value;
  }

  private valueInside(): PythonValue {
    const next = this.peek();
    if (next === '{') return this.dict();
    if (next === '[') return this.list(']').items;
    if (next === '(') {
      const { items, commas } = this.list(')');
      return items.length === 1 && commas === 0 ? items[0] : items;
    }
    if (this.atString()) return this.text(undefined).join('');
    const number = this.match(/[-+]?(\d[\d_]*\.?\d*|\.\d+)(e[-+]?\d+)?/iy);
    if (number !== undefined) return Number(number.replaceAll('_', ''));
    const word = this.match(/[A-Za-z_]\w*/y);
    if (word === 'lambda') return this.lambda();
    if (word === 'True' || word === 'False') return word === 'True';
    if (word === 'None') return null;
    return this.fail('a dict, list, string, number or lambda', word);
  }

  private dict(): Map<PythonValue, PythonValue> {
    const entries = new Map<PythonValue, PythonValue>();
    this.expect('{');
    while (!this.accept('}')) {
      const key = this.value();
      this.expect(':');
      entries.set(key, this.value());
      if (this.peek() !== '}') this.expect(',');
    }
    return entries;
  }

  private list(close: string): { items: PythonValue[]; commas: number } {
    const items: PythonValue[] = [];
    let commas = 0;
    this.position++;
    while (!this.accept(close)) {
      items.push(this.value());
      if (this.peek() !== close) {
        this.expect(',');
        commas++;
      }
    }
    return { items, commas };
  }

  private lambda(): TextTemplate {
    const name = this.match(/[A-Za-z_]\w*/y) ?? this.fail('the name of the argument of a lambda');
    this.expect(':');
    return new TextTemplate(this.sum(name));
  }

  /** Terms joined by `+`, as the parts around each place of the name. */
  private sum(name: string): string[] {
    let parts = this.term(name);
    while (this.accept('+')) parts = concatenate(parts, this.term(name));
    return parts;
  }

  private term(name: string): string[] {
    if (this.atString()) return this.text(name);
    if (this.accept('(')) {
      if (++this.depth > DEEPEST) this.fail(`at most ${DEEPEST} nested brackets`);
      const parts = this.sum(name);
      this.depth--;
      this.expect(')');
      return parts;
    }
    const word = this.match(/[A-Za-z_]\w*/y);
    if (word === name) return ['', ''];
    return this.fail(`a string or ${name}`, word);
  }

  /** Adjacent strings, and `.format(name)` after them. `name` is what f-strings may hold; undefined outside a lambda. */
  private text(name: string | undefined): string[] {
    let parts = this.string(name);
    while (this.atString()) parts = concatenate(parts, this.string(name));
    if (!this.accept('.')) return parts;
    const method = this.match(/[A-Za-z_]\w*/y);
    if (method !== 'format' || name === undefined) this.fail('.format(name) inside a lambda, or nothing', `.${method}`);
    this.expect('(');
    if (this.match(/[A-Za-z_]\w*/y) !== name) this.fail(`.format(${name})`);
    this.expect(')');
    return this.fields(parts.join(''), /^0?$/);
  }

  private string(name: string | undefined): string[] {
    const prefix = (this.match(/[A-Za-z]*(?=['"])/y) ?? '').toLowerCase();
    if (!['', 'u', 'r', 'f', 'fr', 'rf'].includes(prefix)) this.fail('a text string', `${prefix}"…"`);
    const quote = this.match(/'''|"""|['"]/y) ?? this.fail('a quote');
    const start = this.position;
    for (;;) {
      if (this.source.startsWith(quote, this.position)) break;
      const character = this.source[this.position];
      if (character === undefined || (character === '\n' && quote.length === 1)) this.fail(`${quote} to close the string`);
      this.position += character === '\\' ? 2 : 1;
    }
    const raw = this.source.slice(start, this.position);
    this.position += quote.length;
    const text = prefix.includes('r') ? raw : this.unescape(raw);
    if (!prefix.includes('f')) return [text];
    return this.fields(text, name === undefined ? /^$(?!)/ : new RegExp(`^\\s*${name}\\s*$`));
  }

  private unescape(raw: string): string {
    const escape = /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U(00(?:0[\da-fA-F]|10)[\da-fA-F]{4})|([0-7]{1,3})|([^]))/g;
    return raw.replace(escape, (whole, x, u, long, octal, single: string | undefined) => {
      if (single === undefined) return String.fromCodePoint(octal ? parseInt(octal, 8) : parseInt(x ?? u ?? long, 16));
      if ('xuUN'.includes(single)) this.fail('a complete escape', whole);
      return ESCAPES[single] ?? whole;
    });
  }

  /** Splits text at its `{…}` fields, which must all match; `{{` and `}}` stand for braces. */
  private fields(text: string, field: RegExp): string[] {
    const parts = [''];
    for (const piece of text.match(/\{\{|\}\}|\{[^{}]*\}|[^{}]+|[{}]/g) ?? []) {
      const last = parts.length - 1;
      if (piece === '{{' || piece === '}}') parts[last] += piece[0];
      else if (!/^[{}]/.test(piece)) parts[last] += piece;
      else if (piece.length > 1 && field.test(piece.slice(1, -1))) parts.push('');
      else this.fail('only the name of the lambda in the braces', piece);
    }
    return parts;
  }

  private atString(): boolean {
    this.skipSpace();
    return /[A-Za-z]{0,2}['"]/y.test(this.source.slice(this.position, this.position + 3));
  }

  private match(pattern: RegExp): string | undefined {
    this.skipSpace();
    pattern.lastIndex = this.position;
    const found = pattern.exec(this.source)?.[0];
    if (found !== undefined) this.position += found.length;
    return found;
  }

  private skipSpace(): void {
    const space = /(?:\s|\\\n|#[^\n]*)*/y;
    space.lastIndex = this.position;
    if (space.test(this.source)) this.position = space.lastIndex;
  }

  private peek(): string {
    this.skipSpace();
    return this.source.charAt(this.position);
  }

  private accept(character: string): boolean {
    if (this.peek() !== character) return false;
    this.position++;
    return true;
  }

  private expect(character: string): void {
    if (!this.accept(character)) this.fail(`"${character}"`);
  }

  private fail(expected: string, found?: string): never {
    const line = this.source.slice(0, this.position).split('\n').length;
    const rest = /^\w+|^./.exec(this.source.slice(this.position))?.[0];
    const came = found ?? rest;
    throw dataError(
      `${this.file}, line ${line}: expected ${expected}, found ${came === undefined ? 'the end' : JSON.stringify(came)}.`,
    );
  }
}

const concatenate = (a: string[], b: string[]): string[] => [...a.slice(0, -1), a[a.length - 1] + b[0], ...b.slice(1)];
