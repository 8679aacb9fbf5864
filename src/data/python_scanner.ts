import { dataError } from '../errors';

const ESCAPES: Record<string, string> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '\n': '',
};

const IN_JSON = 'or write the file as JSON: {"classes": ["tench"], "templates": ["a photo of a {}."]}';

/** Reads the tokens of Python source one after another. White space and comments are skipped. */
export class PythonScanner {
  protected position = 0;

  /**
   * @param file its name, for error messages
   * @param line line of the file on which the source begins
   */
  constructor(
    protected readonly source: string,
    protected readonly file: string,
    private readonly line = 1,
  ) {}

  /** Matches a sticky pattern at the current position and moves past the match; undefined if it does not match. */
  protected match(pattern: RegExp): string | undefined {
    this.skipSpace();
    pattern.lastIndex = this.position;
    const found = pattern.exec(this.source)?.[0];
    if (found !== undefined) this.position += found.length;
    return found;
  }

  protected word(): string | undefined {
    return this.match(/[A-Za-z_]\w*/y);
  }

  protected atString(): boolean {
    this.skipSpace();
    return /^[A-Za-z]{0,2}['"]/.test(this.source.slice(this.position, this.position + 3));
  }

  /** Reads one string literal and its escapes. The braces of an f-string are kept. */
  protected string(): { text: string; formatted: boolean } {
    const prefix = (this.match(/[A-Za-z]*(?=['"])/y) ?? '').toLowerCase();
    if (!['', 'u', 'r', 'f', 'fr', 'rf'].includes(prefix)) this.fail('a text string', `${prefix}"…"`);
    const quote = this.match(/'''|"""|['"]/y) ?? this.fail('a quote');
    const start = this.position;
    for (;;) {
      if (this.source.startsWith(quote, this.position)) break;
      const character = this.source[this.position];
      if (character === undefined || (character === '\n' && quote.length === 1))
        this.fail(`${quote} to close the string`);
      this.position += character === '\\' ? 2 : 1;
    }
    const raw = this.source.slice(start, this.position);
    this.position += quote.length;
    return { text: prefix.includes('r') ? raw : this.unescape(raw), formatted: prefix.includes('f') };
  }

  private unescape(raw: string): string {
    const escape = /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U(00(?:0[\da-fA-F]|10)[\da-fA-F]{4})|([0-7]{1,3})|([^]))/g;
    return raw.replace(escape, (whole, x, u, long, octal, single: string | undefined) => {
      if (single === undefined) return String.fromCodePoint(octal ? parseInt(octal, 8) : parseInt(x ?? u ?? long, 16));
      if ('xuUN'.includes(single)) this.fail('a complete escape', whole);
      return ESCAPES[single] ?? whole;
    });
  }

  private skipSpace(): void {
    const space = /\s+|\\\n|#[^\n]*/y;
    for (space.lastIndex = this.position; space.test(this.source);) this.position = space.lastIndex;
  }

  protected peek(): string {
    this.skipSpace();
    return this.source.charAt(this.position);
  }

  protected accept(character: string): boolean {
    if (this.peek() !== character) return false;
    this.position++;
    return true;
  }

  protected expect(character: string): void {
    if (!this.accept(character)) this.fail(`"${character}"`);
  }

  /** The line of the file at the current position. */
  protected lineHere(): number {
    let lines = this.line;
    for (let at = this.source.indexOf('\n'); at >= 0 && at < this.position; at = this.source.indexOf('\n', at + 1))
      lines++;
    return lines;
  }

  protected fail(expected: string, found?: string): never {
    const rest = /^\w{1,100}|^[^]/.exec(this.source.slice(this.position, this.position + 100))?.[0];
    const came = (found ?? rest)?.slice(0, 100);
    throw dataError(
      `${this.file}, line ${this.lineHere()}: expected ${expected}, ` +
        `found ${came === undefined ? 'the end' : JSON.stringify(came)}; ${IN_JSON}.`,
    );
  }
}
