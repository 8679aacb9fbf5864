import type { AugmentImageInput } from '../options/inputs.gen';
import { jobCommand } from './job_command';

/** The command `cleanclip augment-image`, which augments the images of a csv ahead of training. */
export const command = jobCommand<AugmentImageInput>(
  'augmentImage',
  'Add a column of images augmented by AutoAugment to a csv; cleanclip-train takes it with --augmented_columns.',
  async (input) => {
    const { augmentImage } = await import('../jobs');
    const { output, column, rows, leftOut } = await augmentImage(input);
    for (const reason of leftOut?.reasons ?? []) console.error(reason);
    if (leftOut !== undefined) console.error(`${leftOut.count} rows are left out.`);
    console.log(`${output} has ${rows} rows, and the column ${column}`);
  },
);
