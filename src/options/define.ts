import { optionError } from '../errors';
import { show } from '../show';

/** One option of a job: a flag on the command line (`num_warmup_steps`), its camelCase name in the API. */
export interface OptionSpec<T = unknown> {
  /** what it is, for `--help` and errors */
  doc: string;
  /** undefined: it may be left out and has no value then */
  default: T;
  /** what the value is in the API: a JavaScript number, string or boolean */
  type: 'number' | 'string' | 'boolean';
  /** the only texts that it may be */
  choices?: readonly string[];
  /** what stands for the value in `--help`: 'steps', 'file' …; none for a switch */
  unit?: string;
  /** whether it is a list: the flag takes several values, `--epochs 5 10` */
  several?: boolean;
  /** how the default reads in `--help`, when it is not a constant */
  defaultText?: string;
  /** the value of a text from the command line, or undefined when it is none */
  parse(text: string): T | undefined;
  /** what is wrong with a value ('a whole number of at least 1'), or undefined when it is right */
  expects(value: unknown): string | undefined;
}

type Table = Record<string, OptionSpec>;

type CamelCase<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : S;

/** The values of all options of a table, by camelCase name. */
export type Resolved<T extends Table> = {
  [K in keyof T & string as CamelCase<K>]: T[K] extends OptionSpec<infer V> ? V : never;
};

/** `num_warmup_steps` → `numWarmupSteps` */
export const camelCase = (flag: string): string => flag.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/** A text. `choices` limits it. */
export function text<D extends string | undefined, C extends string = string>(spec: {
  doc: string;
  default: D;
  unit?: string;
  choices?: readonly C[];
  defaultText?: string;
}): OptionSpec<(string extends C ? string : C) | D> {
  const { doc, choices, unit = choices?.join('|') ?? 'text', defaultText } = spec;
  const expected = choices === undefined ? 'a text' : `one of ${choices.join(', ')}`;
  type Value = (string extends C ? string : C) | D;
  return {
    doc,
    type: 'string',
    choices,
    unit,
    defaultText,
    default: spec.default,
    parse: (value) => value as Value,
    expects: (value) =>
      typeof value === 'string' && (choices === undefined || choices.includes(value as C)) ? undefined : expected,
  };
}

/** A number from `min` to `max`; `whole` for integers. `above` excludes the minimum itself. */
export function number<D extends number | undefined>(spec: {
  doc: string;
  default: D;
  unit?: string;
  whole?: boolean;
  min?: number;
  above?: number;
  max?: number;
  defaultText?: string;
}): OptionSpec<number | D> {
  const { doc, unit = 'number', whole = false, min = -Infinity, above = -Infinity, max = Infinity, defaultText } = spec;
  const bounds = [
    min > -Infinity ? `at least ${min}` : '',
    above > -Infinity ? `above ${above}` : '',
    max < Infinity ? `at most ${max}` : '',
  ].filter(Boolean);
  const expected = `${whole ? 'a whole number' : 'a number'}${bounds.length > 0 ? ` of ${bounds.join(' and ')}` : ''}`;
  return {
    doc,
    type: 'number',
    unit,
    defaultText,
    default: spec.default,
    parse: (value) => (value.trim() === '' || Number.isNaN(Number(value)) ? undefined : Number(value)),
    expects: (value) =>
      typeof value === 'number' &&
      Number.isFinite(value) &&
      value >= min &&
      value > above &&
      value <= max &&
      (!whole || Number.isSafeInteger(value))
        ? undefined
        : expected,
  };
}

/** An integer from `min`, default 0. */
export const integer = <D extends number | undefined>(spec: {
  doc: string;
  default: D;
  unit?: string;
  min?: number;
  max?: number;
  defaultText?: string;
}): OptionSpec<number | D> => number({ min: 0, ...spec, whole: true });

/** A list of integers from `min`, default 0: `--name 5 10`, or `--name 5,10`. */
export const integers = ({
  doc,
  unit,
  min = 0,
}: {
  doc: string;
  unit: string;
  min?: number;
}): OptionSpec<number[] | undefined> => {
  const one = integer({ doc, default: undefined, min });
  return {
    doc,
    type: 'number',
    unit,
    several: true,
    default: undefined,
    parse: (text) => {
      const values = text
        .split(/[\s,]+/)
        .filter(Boolean)
        .map((part) => one.parse(part));
      return values.includes(undefined) ? undefined : (values as number[]);
    },
    expects: (value) =>
      Array.isArray(value) && value.length > 0 && value.every((item) => one.expects(item) === undefined)
        ? undefined
        : `one or more of ${one.expects(undefined)}`.replace(/of a whole number/, 'whole numbers, each'),
  };
};

/** A switch, off unless given. */
export const flag = (doc: string): OptionSpec<boolean> => ({
  doc,
  type: 'boolean',
  default: false,
  parse: () => true,
  expects: (value) => (typeof value === 'boolean' ? undefined : 'true or false'),
});

/**
 * Checks what a caller gave and fills in the defaults.
 * @throws CleanclipError `ERR_OPTION` naming the flag, the value and what was expected; unknown names with the nearest
 * right one
 */
export function resolve<T extends Table>(table: T, given: Record<string, unknown>): Resolved<T> {
  const flags = new Map(Object.keys(table).map((name) => [camelCase(name), name]));
  for (const name of Object.keys(given)) {
    if (!flags.has(name)) throw unknownOption(name, [...flags.keys()]);
  }
  const result: Record<string, unknown> = {};
  for (const [name, flagName] of flags) {
    const value = given[name];
    if (value === undefined || value === null) {
      result[name] = table[flagName].default;
      continue;
    }
    const expected = table[flagName].expects(value);
    if (expected !== undefined) throw optionError(`--${flagName} must be ${expected}, but is ${show(value)}.`);
    result[name] = value;
  }
  return result as Resolved<T>;
}

/** The error for a name that no option has. */
export function unknownOption(name: string, known: readonly string[], dashes = ''): Error {
  const nearest = known
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0];
  const hint = nearest !== undefined && nearest.distance <= Math.max(2, name.length / 3);
  const help = hint ? `did you mean ${dashes}${nearest.candidate}?` : 'see --help for all options.';
  return optionError(`There is no option ${dashes}${name}; ${help}`);
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      current[j] = Math.min(previous[j] + 1, current[j - 1] + 1, substitution);
    }
    previous = current;
  }
  return previous[b.length];
}
