import { Command } from 'commander';

import { CleanclipError } from '../errors';
import { convertFlags } from '../options/convert';
import { poisonOptions } from '../options/poison';
import { command as convert } from './convert';
import { command as doctor } from './doctor';
import { normaliseArguments } from './option_table';
import { aliases as poisonAliases, command as poison } from './poison';
import { goOnUnread } from './run_command';
import { command as setup } from './setup';

// A command's file only describes it; what it does is loaded when it runs, so that --help is quick.
const program = new Command('cleanclip')
  .description('Poison, train, attack, cleanse and convert CLIP models.')
  .addCommand(poison)
  .addCommand(convert)
  .addCommand(setup)
  .addCommand(doctor);

async function main(): Promise<void> {
  goOnUnread();
  const [command, ...args] = process.argv.slice(2);
  const given =
    command === 'poison'
      ? normaliseArguments(args, poisonOptions, poisonAliases)
      : command === 'convert'
        ? normaliseArguments(args, convertFlags)
        : args;
  await program.parseAsync(command === undefined ? [] : [command, ...given], { from: 'user' });
}

main().catch((error: unknown) => {
  if (!(error instanceof CleanclipError)) throw error;
  console.error(`cleanclip: ${error.message}`);
  process.exitCode = 1;
});
