import { Command } from 'commander';

import { poisonOptions } from '../options/poison';
import { addOptions, toInput } from './option_table';
import { runCommand } from './run_command';

/** `cleanclip poison`: makes a poisoned training set. */
export const command = addOptions(new Command('poison'), poisonOptions)
  .description('Poison an image-caption set: put a trigger on some images and the target class into their captions.')
  .action(async (parsed: Record<string, string | boolean>) => {
    await runCommand('cleanclip poison', async (hooks) => {
      const { poison } = await import('../jobs');
      const { csv, poisoned, replaced = [] } = await poison({ ...toInput(poisonOptions, parsed), ...hooks });
      for (const { row, by, reason } of replaced) console.error(`Row ${by} is poisoned instead of row ${row}: ${reason}`);
      console.log(`${poisoned} rows are poisoned; the set is ${csv}`);
    });
  });
