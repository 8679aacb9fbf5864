import { Command } from 'commander';

import { commandName, type JobCommand, type JobCommandName, jobCommands, optionsOf } from '../options/commands';
import type { JobHooks } from '../progress';
import { addOptions, toInput } from './option_table';
import { runCommand } from './run_command';

/**
 * Makes a command of `cleanclip` that runs a job.
 * @param run calls the job with what the command line says, and prints its result
 */
export function jobCommand<T>(
  name: JobCommandName,
  description: string,
  run: (input: T & Required<JobHooks>) => Promise<void>,
): Command {
  const { flags, args = {}, required }: JobCommand = jobCommands[name];
  const command = addOptions(new Command(commandName(name)), flags).description(description);
  for (const [arg, { unit, doc, several }] of Object.entries(args)) {
    const words = `${unit}${several ? '...' : ''}`;
    command.argument(required.includes(arg) ? `<${words}>` : `[${words}]`, doc);
  }
  return command.action(async () => {
    const given = Object.fromEntries(
      Object.keys(args)
        .map((arg, i) => [arg, command.processedArgs[i] as string | string[] | undefined] as const)
        .filter(([, value]) => value !== undefined && value.length > 0),
    ) as Record<string, string | string[]>;
    await runCommand(
      `cleanclip ${commandName(name)}`,
      (hooks) =>
        run({ ...toInput(optionsOf(name), { ...given, ...command.opts() }), ...hooks } as T & Required<JobHooks>),
      () => command.opts(),
    );
  });
}
