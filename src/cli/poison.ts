import { badRowWarnings } from '../data/pairs';
import type { PoisonInput } from '../options/inputs.gen';
import { jobCommand } from './job_command';

/** The command `cleanclip poison`, which makes a poisoned training set. */
export const command = jobCommand<PoisonInput>(
  'poison',
  'Poison an image-caption set: put a trigger on some images and the target class into their captions.',
  async (input) => {
    const { poison } = await import('../jobs');
    const { trainData, poisoned, replaced = [], badRows = { count: 0, examples: [] } } = await poison(input);
    for (const warning of badRowWarnings(badRows, String(input.trainData))) console.error(warning);
    for (const { row, by, reason } of replaced) console.error(`Row ${by} is poisoned instead of row ${row}: ${reason}`);
    console.log(`${poisoned} rows are poisoned; the set is ${trainData}`);
  },
);
