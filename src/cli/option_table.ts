import { type Command, Option } from 'commander';

import { optionError } from '../errors';
import { camelCase, type OptionSpec, unknownOption } from '../options/define';

type Table = Record<string, OptionSpec>;

/** Adds every option of a table to a command, with its default in the help. */
export function addOptions(command: Command, table: Table): Command {
  for (const [name, spec] of Object.entries(table)) {
    const value = spec.unit === undefined ? '' : ` <${spec.unit}${spec.several ? '...' : ''}>`;
    command.addOption(new Option(`--${name}${value}`, describe(spec)));
  }
  return command;
}

function describe({ doc, default: value, defaultText, unit }: OptionSpec): string {
  const shown = defaultText ?? (unit === undefined || value === undefined ? undefined : String(value));
  return shown === undefined ? doc : `${doc} (default: ${shown})`;
}

/** Parsed flags as the API takes them: numbers read, names in camelCase. */
export function toInput(table: Table, parsed: Record<string, string | string[] | boolean>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(parsed).map(([name, given]) => {
      const spec = table[name];
      const text = [given].flat().join(' ');
      const value = given === true ? true : spec.parse(text);
      if (value === undefined) throw optionError(`--${name} must be ${spec.expects(undefined)}, but is '${text}'.`);
      return [camelCase(name), value];
    }),
  );
}

/** Flags with dashes as flags with underscores, aliases as what they stand for; refuses what no option is called. */
export function normaliseArguments(
  argv: readonly string[],
  table: Table,
  aliases: Record<string, string> = {},
): string[] {
  const known = [...Object.keys(table), ...Object.keys(aliases), 'help', 'version'];
  return argv.map((argument) => {
    const [, given, rest] = /^--([^=]+)(.*)$/s.exec(argument) ?? [];
    if (given === undefined) return argument;
    const name = given.replaceAll('-', '_');
    if (!known.includes(name)) throw unknownOption(given, known, '--');
    return `--${aliases[name] ?? name}${rest}`;
  });
}
