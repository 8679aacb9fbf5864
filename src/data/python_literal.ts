import { PythonScanner } from './python_scanner';
import { NAME, type TextMethod, textMethods, TextTemplate } from './python_text';

export { TextTemplate } from './python_text';

/** The value of a Python literal. A lambda of one name that builds a string becomes a {@link TextTemplate}. */
export type PythonValue =
  string | number | boolean | null | TextTemplate | PythonValue[] | Map<PythonValue, PythonValue>;

const DEEPEST = 100;

/**
 * Parses a Python expression of dicts, lists, tuples, strings, numbers, True, False, None, and lambdas of one name that
 * build a string. Strings may be built by string literals, f-strings, the name, `str(name)`, `+`, `.format(…)`, `%
 * name` and the methods in {@link textMethods}. Nothing is executed.
 *
 * @param source content of the file
 * @param file its name, for error messages
 * @throws CleanclipError ERR_DATA: the source contains anything else; the message names the line
 */
export function parsePythonLiteral(source: string, file: string): PythonValue {
  return new Parser(source.replace(/\r\n?/g, '\n').replace(/^\uFEFF/, ''), file).parse();
}

class Parser extends PythonScanner {
  private depth = 0;
  /** argument of the lambda that is being read */
  private name: string | undefined;

  parse(): PythonValue {
    const value = this.value();
    if (this.peek() !== '') this.fail('the end of the file');
    return value;
  }

  /** Parses the braces of an f-string, which is inside a lambda of `name`, as one string expression. */
  parseText(name: string | undefined, depth: number): TextTemplate {
    this.name = name;
    this.depth = depth;
    const text = this.sum();
    if (this.match(/!s/y) === undefined && this.peek() !== '') this.fail('only a string in the braces');
    if (this.peek() !== '') this.fail('only a string in the braces');
    return text;
  }

  private deeper<T>(read: () => T): T {
    if (++this.depth > DEEPEST) this.fail(`at most ${DEEPEST} nested brackets`);
    const value = read();
    this.depth--;
    return value;
  }

  private value(): PythonValue {
    return this.deeper(() => this.valueInside());
  }

  private valueInside(): PythonValue {
    const next = this.peek();
    if (next === '{') return this.dict();
    if (next === '[') return this.list(']').items;
    if (next === '(') {
      const { items, commas } = this.list(')');
      return items.length === 1 && commas === 0 ? items[0] : items;
    }
    if (this.atString()) return this.sum().fill('');
    const number = this.match(/[-+]?(\d[\d_]*\.?\d*|\.\d+)(e[-+]?\d+)?/iy);
    if (number !== undefined) return Number(number.replaceAll('_', ''));
    const word = this.word();
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
    this.name = this.word() ?? this.fail('the name of the argument of a lambda');
    this.expect(':');
    const body = this.sum();
    this.name = undefined;
    return body;
  }

  /** Parses terms joined by `+`. */
  private sum(): TextTemplate {
    const terms = [this.term()];
    while (this.accept('+')) terms.push(this.term());
    return terms.length === 1 ? terms[0] : new TextTemplate(terms);
  }

  /** Parses a string and the methods and `%` that follow it. */
  private term(): TextTemplate {
    let text = this.atom();
    let methods: TextMethod[] = [];
    const called = (): TextTemplate => (methods.length === 0 ? text : new TextTemplate([text], methods));
    for (let chained = 0; ; chained++) {
      if (chained > 10 * DEEPEST) this.fail('fewer methods in a row');
      if (this.accept('.')) {
        const method = this.word() ?? this.fail('the name of a method');
        if (method === 'format') text = this.format(this.constant(called(), '.format'));
        else if (Object.hasOwn(textMethods, method)) {
          methods.push(this.method(method));
          continue;
        } else
          this.fail(
            `one of ${[...Object.keys(textMethods), 'format'].map((known) => `.${known}`).join(', ')}`,
            `.${method}`,
          );
      } else if (this.accept('%')) text = this.percent(this.constant(called(), '%'));
      else return called();
      methods = [];
    }
  }

  private atom(): TextTemplate {
    if (this.atString()) return this.strings();
    if (this.accept('(')) {
      const text = this.deeper(() => this.sum());
      this.expect(')');
      return text;
    }
    const word = this.word();
    if (word === 'str' && this.accept('(')) {
      const text = this.deeper(() => this.sum());
      this.expect(')');
      return text;
    }
    if (word !== undefined && word === this.name) return new TextTemplate([NAME]);
    return this.fail(this.name === undefined ? 'a string' : `a string or ${this.name}`, word);
  }

  /** Parses adjacent string literals, which Python concatenates. */
  private strings(): TextTemplate {
    const texts: TextTemplate[] = [];
    while (this.atString()) {
      const line = this.lineOfString();
      const { text, formatted } = this.string();
      texts.push(formatted ? this.braces(text, (field) => this.fieldOfString(field, line)) : new TextTemplate([text]));
    }
    return texts.length === 1 ? texts[0] : new TextTemplate(texts);
  }

  private lineOfString(): number | undefined {
    return /^[rR]?[fF]/.test(this.source.slice(this.position, this.position + 2)) ? this.lineHere() : undefined;
  }

  private fieldOfString(field: string, line: number | undefined): TextTemplate {
    if (field.includes('\\')) this.fail('no backslash in the braces', `{${field}}`);
    return this.deeper(() => new Parser(field, this.file, line).parseText(this.name, this.depth));
  }

  /** Splits text at its `{…}` fields; `{{` and `}}` stand for braces. */
  private braces(text: string, read: (field: string) => TextTemplate): TextTemplate {
    const pieces: (string | TextTemplate)[] = [];
    for (const piece of text.match(/\{\{|\}\}|\{[^{}]*\}|[^{}]+|[{}]/g) ?? []) {
      if (piece === '{{' || piece === '}}') pieces.push(piece[0]);
      else if (!/^[{}]/.test(piece)) pieces.push(piece);
      else if (piece.length > 1) pieces.push(read(piece.slice(1, -1)));
      else this.fail('braces in pairs', piece);
    }
    return new TextTemplate(pieces);
  }

  private constant(text: TextTemplate, what: string): string {
    return text.hasName ? this.fail(`a constant string before ${what}`) : text.fill('');
  }

  /** Parses the arguments of a call after its `(`: positional ones and keyword ones. */
  private given(): { places: TextTemplate[]; names: Map<string, TextTemplate> } {
    const places: TextTemplate[] = [];
    const names = new Map<string, TextTemplate>();
    while (!this.accept(')')) {
      const key = this.match(/[A-Za-z_]\w*(?=\s*=(?!=))/y);
      if (key !== undefined) this.expect('=');
      const text = this.deeper(() => this.sum());
      if (key === undefined) places.push(text);
      else names.set(key, text);
      if (this.peek() !== ')') this.expect(',');
    }
    return { places, names };
  }

  private method(name: string): TextMethod {
    this.expect('(');
    const { places, names } = this.given();
    const { least, most, make } = textMethods[name];
    if (names.size > 0 || places.length < least || places.length > most)
      this.fail(`${least === most ? least : `${least} or ${most}`} strings in .${name}(…)`);
    return make(...places.map((text) => this.constant(text, `the end of .${name}(…)`)));
  }

  private format(text: string): TextTemplate {
    this.expect('(');
    const { places, names } = this.given();
    let next = 0;
    return this.braces(text, (field) => {
      const place = field === '' ? next++ : /^\d{1,4}$/.test(field) && next === 0 ? Number(field) : undefined;
      const found = place === undefined ? names.get(field) : places[place];
      return found ?? this.fail('an argument of .format(…) for each pair of braces', `{${field}}`);
    });
  }

  private percent(text: string): TextTemplate {
    const places = this.peek() === '(' ? this.tuple() : [this.term()];
    const pieces: (string | TextTemplate)[] = [];
    let next = 0;
    for (const piece of text.match(/%[^]?|[^%]+/g) ?? []) {
      if (piece === '%s') pieces.push(places[next++] ?? this.fail('a value for each %s'));
      else if (piece[0] === '%' && piece !== '%%') this.fail('only %s and %% in the string before %', piece);
      else pieces.push(piece === '%%' ? '%' : piece);
    }
    if (next !== places.length) this.fail('a %s for each value');
    return new TextTemplate(pieces);
  }

  private tuple(): TextTemplate[] {
    this.expect('(');
    return this.given().places;
  }
}
