import type { ZeroshotInput } from '../options/inputs.gen';
import { jobCommand } from './job_command';

/** The command `cleanclip zeroshot`, which measures on stored embeddings. */
export const command = jobCommand<ZeroshotInput>(
  'zeroshot',
  'Measure zero-shot accuracy on embeddings of a labelled set that cleanclip embed has stored.',
  async (input) => {
    const { zeroshot } = await import('../jobs/embeddings');
    for (const [name, value] of Object.entries(await zeroshot(input))) console.log(`${name}: ${value.toFixed(4)}`);
  },
);
