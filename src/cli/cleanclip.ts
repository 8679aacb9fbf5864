import { Command } from 'commander';

import { CleanclipError } from '../errors';
import { command as doctor } from './doctor';
import { command as setup } from './setup';

// A command's file only describes it; what it does is loaded when it runs, so that --help is quick.
const program = new Command('cleanclip')
  .description('Poison, train, attack and cleanse CLIP models.')
  .addCommand(setup)
  .addCommand(doctor);

program.parseAsync().catch((error: unknown) => {
  if (!(error instanceof CleanclipError)) throw error;
  console.error(`cleanclip: ${error.message}`);
  process.exitCode = 1;
});
