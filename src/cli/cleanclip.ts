import { Command } from 'commander';

import { CleanclipError } from '../errors';
import { commandLineFlags } from '../options/command_line';
import { commandName, type JobCommand, type JobCommandName, jobCommands } from '../options/commands';
import { command as augmentImage } from './augment_image';
import { command as augmentText } from './augment_text';
import { command as convert } from './convert';
import { command as doctor } from './doctor';
import { command as download } from './download';
import { command as embed } from './embed';
import { command as linearProbe } from './linear_probe';
import { addOptions, normaliseArguments } from './option_table';
import { command as plot } from './plot';
import { command as poison } from './poison';
import { command as prepare } from './prepare';
import { command as report } from './report';
import { command as retrieval } from './retrieval';
import { goOnUnread } from './run_command';
import { command as setup } from './setup';
import { command as zeroshot } from './zeroshot';

// The file of a command only describes it. The code that does the work is loaded when it runs, so --help is quick.
const program = new Command('cleanclip').description(
  'Poison, train, attack, cleanse and convert CLIP models, and get their data.',
);
const data = [download, prepare, augmentText, augmentImage];
const measuring = [embed, zeroshot, linearProbe, retrieval, plot, report];
const commands = [...data, poison, convert, ...measuring, setup, doctor];
for (const command of commands) program.addCommand(addOptions(command, commandLineFlags));

/** Rewrites the flags of a command that runs a job, see {@link normaliseArguments}. */
function normalise(command: string, args: readonly string[]): readonly string[] {
  const name = (Object.keys(jobCommands) as JobCommandName[]).find((job) => commandName(job) === command);
  if (name === undefined) return args;
  const { flags, aliases }: JobCommand = jobCommands[name];
  return normaliseArguments(args, flags, aliases);
}

async function main(): Promise<void> {
  goOnUnread();
  const [command, ...args] = process.argv.slice(2);
  await program.parseAsync(command === undefined ? [] : [command, ...normalise(command, args)], { from: 'user' });
}

main().catch((error: unknown) => {
  if (!(error instanceof CleanclipError)) throw error;
  console.error(`cleanclip: ${error.message}`);
  process.exitCode = 1;
});
