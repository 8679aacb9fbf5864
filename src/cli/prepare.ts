import type { PrepareInput } from '../options/inputs.gen';
import { jobCommand } from './job_command';

/** The command `cleanclip prepare`, which makes a csv of a set as its authors distribute it. */
export const command = jobCommand<PrepareInput>(
  'prepare',
  'Make the csv of a set as its authors distribute it: Flickr30k, MSCOCO, SBU captions, ImageNet; or move a csv.',
  async (input) => {
    const { prepare } = await import('../jobs');
    const { output, rows, images, missing, leftOut } = await prepare(input);
    const of = images > 0 ? ` of ${images} images` : '';
    console.log(`${output} has ${rows} rows${of}`);
    if (missing > 0) console.error(`${missing} of the rows have an image that is not there.`);
    if (leftOut > 0) console.error(`${leftOut} images without a caption are left out.`);
  },
);
