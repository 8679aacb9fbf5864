import { optionError } from '../errors';
import { anInteger, isInteger } from '../integers';
import { show } from '../show';

/** One option of a job: a flag on the command line (`num_warmup_steps`), and its camelCase name in the API. */
export interface OptionSpec<T = unknown> {
  /** its description, for `--help` and the API docs */
  doc: string;
  /** its default; undefined when it may be left out and then has no value */
  default: T;
  /** its type in the API: a JavaScript number, string or boolean */
  type: 'number' | 'string' | 'boolean';
  /** the only strings that it accepts */
  choices?: readonly string[];
  /** the placeholder of the value in `--help`: 'steps', 'file' …; absent for a switch */
  unit?: string;
  /** one letter that also names the flag on the command line, as in the Python code: `-f` */
  short?: string;
  /** whether it is a list: the flag takes several values, `--epochs 5 10` */
  several?: boolean;
  /** description of the default in `--help`, when it is not a constant */
  defaultText?: string;
  /** converts a string from the command line; returns undefined when it cannot */
  parse(text: string): T | undefined;
  /** returns what was expected instead of a value ('an integer of at least 1'), or undefined when it is right */
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

/** Converts a flag to its name in the API: `num_warmup_steps` → `numWarmupSteps`. */
export const camelCase = (flag: string): string => flag.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/** Makes an option that takes a string. `choices` limits it. */
export function text<D extends string | undefined, C extends string = string>(spec: {
  doc: string;
  default: D;
  unit?: string;
  choices?: readonly C[];
  defaultText?: string;
  short?: string;
}): OptionSpec<(string extends C ? string : C) | D> {
  const { doc, choices, unit = choices?.join('|') ?? 'text', defaultText, short } = spec;
  const expected = choices === undefined ? 'a string' : `one of ${choices.join(', ')}`;
  type Value = (string extends C ? string : C) | D;
  return {
    doc,
    type: 'string',
    choices,
    unit,
    defaultText,
    short,
    default: spec.default,
    parse: (value) => value as Value,
    expects: (value) =>
      typeof value === 'string' && (choices === undefined || choices.includes(value as C)) ? undefined : expected,
  };
}

/**
 * Makes an option that takes a number from `min` to `max`. `whole` limits it to integers, and `above` excludes the
 * minimum itself.
 */
export function number<D extends number | undefined>(spec: {
  doc: string;
  default: D;
  unit?: string;
  whole?: boolean;
  min?: number;
  above?: number;
  max?: number;
  defaultText?: string;
  short?: string;
}): OptionSpec<number | D> {
  const { doc, unit = 'number', whole = false, min = -Infinity, above = -Infinity, max = Infinity } = spec;
  const bounds = [
    min > -Infinity ? `at least ${min}` : '',
    above > -Infinity ? `above ${above}` : '',
    max < Infinity ? `at most ${max}` : '',
  ].filter(Boolean);
  const real = `a number${bounds.length > 0 ? ` of ${bounds.join(' and ')}` : ''}`;
  const expected = whole ? anInteger(min, max) : real;
  return {
    doc,
    type: 'number',
    unit,
    defaultText: spec.defaultText,
    short: spec.short,
    default: spec.default,
    parse: (value) => (value.trim() === '' || Number.isNaN(Number(value)) ? undefined : Number(value)),
    expects: (value) =>
      typeof value === 'number' &&
      Number.isFinite(value) &&
      value >= min &&
      value > above &&
      value <= max &&
      (!whole || isInteger(value))
        ? undefined
        : expected,
  };
}

/** Makes an option that takes an integer of at least `min`, default 0. */
export const integer = <D extends number | undefined>(spec: {
  doc: string;
  default: D;
  unit?: string;
  min?: number;
  max?: number;
  defaultText?: string;
  short?: string;
}): OptionSpec<number | D> => number({ min: 0, ...spec, whole: true });

/** Makes an option that takes a list of integers of at least `min`, default 0: `--name 5 10`, or `--name 5,10`. */
export const integers = ({
  doc,
  unit,
  min = 0,
  defaultText,
}: {
  doc: string;
  unit: string;
  min?: number;
  defaultText?: string;
}): OptionSpec<number[] | undefined> => {
  const one = integer({ doc, default: undefined, min });
  return {
    doc,
    type: 'number',
    unit,
    several: true,
    default: undefined,
    defaultText,
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
        : `one or more of ${one.expects(undefined)}`.replace(/of an integer/, 'integers, each'),
  };
};

/** Makes an option that takes a list of strings: `--name a b`. */
export const texts = ({ doc, unit }: { doc: string; unit: string }): OptionSpec<string[] | undefined> => ({
  doc,
  type: 'string',
  unit,
  several: true,
  default: undefined,
  parse: (text) => text.split('\0'),
  expects: (value) =>
    Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string' && item !== '')
      ? undefined
      : 'one or more strings',
});

/** Makes an option that takes a list of some of `choices`: `--name a b`, or `--name a,b`. */
export const severalOf = <C extends string>({
  doc,
  choices,
}: {
  doc: string;
  choices: readonly C[];
}): OptionSpec<C[] | undefined> => {
  const isChoice = (value: unknown): boolean => choices.includes(value as C);
  return {
    doc,
    type: 'string',
    choices,
    unit: choices.join('|'),
    several: true,
    default: undefined,
    parse: (text) => {
      const values = text
        .replaceAll('\0', ' ')
        .split(/[\s,]+/)
        .filter(Boolean);
      return values.length > 0 && values.every(isChoice) ? (values as C[]) : undefined;
    },
    expects: (value) =>
      Array.isArray(value) && value.length > 0 && value.every(isChoice)
        ? undefined
        : `one or more of ${choices.join(', ')}`,
  };
};

/** Makes a switch, which is off unless given. */
export const flag = (doc: string): OptionSpec<boolean> => ({
  doc,
  type: 'boolean',
  default: false,
  parse: () => true,
  expects: (value) => (typeof value === 'boolean' ? undefined : 'true or false'),
});

/**
 * Checks the options that a caller gave, and fills in the defaults.
 * @throws CleanclipError `ERR_OPTION` naming the flag, the value and what was expected; for an unknown name, it names
 * the nearest right one
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

/** Makes the error for a name that no option has. */
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
