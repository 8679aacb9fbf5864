import { Command } from 'commander';

import { badRowWarnings } from '../data/pairs';
import { poisonOptions } from '../options/poison';
import { addOptions, toInput } from './option_table';
import { runCommand } from './run_command';

/** What flags are also called, as in the Python code. */
export const aliases = { patch: 'patch_type' };

/** `cleanclip poison`: makes a poisoned training set. */
export const command = addOptions(new Command('poison'), poisonOptions)
  .description('Poison an image-caption set: put a trigger on some images and the target class into their captions.')
  .action(async (parsed: Record<string, string | boolean>) => {
    await runCommand('cleanclip poison', async (hooks) => {
      const { poison } = await import('../jobs');
      const input = toInput(poisonOptions, parsed);
      const {
        csv,
        poisoned,
        replaced = [],
        badRows = { count: 0, examples: [] },
      } = await poison({ ...input, ...hooks });
      for (const warning of badRowWarnings(badRows, String(input.trainData))) console.error(warning);
      for (const { row, by, reason } of replaced)
        console.error(`Row ${by} is poisoned instead of row ${row}: ${reason}`);
      console.log(`${poisoned} rows are poisoned; the set is ${csv}`);
    });
  });
