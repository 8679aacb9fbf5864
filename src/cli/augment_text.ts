import type { AugmentTextInput } from '../options/inputs.gen';
import { jobCommand } from './job_command';

/** The command `cleanclip augment-text`, which augments the captions of a csv ahead of training. */
export const command = jobCommand<AugmentTextInput>(
  'augmentText',
  'Add a column of captions augmented by EDA to a csv; cleanclip-train takes it with --augmented_columns.',
  async (input) => {
    const { augmentText } = await import('../jobs');
    const { output, column, rows } = await augmentText(input);
    console.log(`${output} has ${rows} rows, and the column ${column}`);
  },
);
