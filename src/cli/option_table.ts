import { type Command, Option } from 'commander';

import { optionError } from '../errors';
import { commandLineFlags } from '../options/command_line';
import { camelCase, type OptionSpec, unknownOption } from '../options/define';

type Table = Record<string, OptionSpec>;

/** Adds every option of a table to a command, with its default in the help. */
export function addOptions(command: Command, table: Table): Command {
  for (const [name, spec] of Object.entries(table)) {
    const value = spec.unit === undefined ? '' : ` <${spec.unit}${spec.several ? '...' : ''}>`;
    const short = spec.short === undefined ? '' : `-${spec.short}, `;
    command.addOption(new Option(`${short}--${name}${value}`, describe(spec)));
  }
  return command;
}

function describe({ doc, default: value, defaultText, unit }: OptionSpec): string {
  const shown = defaultText ?? (unit === undefined || value === undefined ? undefined : String(value));
  return shown === undefined ? doc : `${doc} (default: ${shown})`;
}

/**
 * Converts parsed flags to what the API takes: numbers are parsed, and names are in camelCase. Flags of
 * {@link commandLineFlags} are left out.
 * @throws CleanclipError `ERR_OPTION` for a value that cannot be parsed
 */
export function toInput(table: Table, parsed: Record<string, string | string[] | boolean>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(parsed)
      .filter(([name]) => !(name in commandLineFlags))
      .map(([name, given]) => {
        const spec = table[name];
        const words = [given].flat();
        const value = given === true ? true : spec.parse(words.join(spec.type === 'string' ? '\0' : ' '));
        if (value === undefined)
          throw optionError(`--${name} must be ${spec.expects(undefined)}, but is '${words.join(' ')}'.`);
        return [camelCase(name), value];
      }),
  );
}

/**
 * Rewrites flags: dashes become underscores, and aliases become what they stand for.
 * @throws CleanclipError `ERR_OPTION` for a name that no option has
 */
export function normaliseArguments(
  argv: readonly string[],
  table: Table,
  aliases: Record<string, string> = {},
): string[] {
  const known = [...Object.keys({ ...table, ...commandLineFlags, ...aliases }), 'help', 'version'];
  return argv.map((argument) => {
    const [, given, rest] = /^--([^=]+)(.*)$/s.exec(argument) ?? [];
    if (given === undefined) return argument;
    const name = given.replaceAll('-', '_');
    if (!known.includes(name)) throw unknownOption(given, known, '--');
    return `--${aliases[name] ?? name}${rest}`;
  });
}
