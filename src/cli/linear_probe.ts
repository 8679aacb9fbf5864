import type { LinearProbeInput } from '../options/inputs.gen';
import { jobCommand } from './job_command';

/** The command `cleanclip linear-probe`, which trains a linear classifier on stored embeddings. */
export const command = jobCommand<LinearProbeInput>(
  'linearProbe',
  'Train a linear classifier on stored embeddings of one labelled set, and measure it on those of another.',
  async (input) => {
    const { linearProbe } = await import('../jobs/embeddings');
    const { linear_probe_accuracy } = await linearProbe(input);
    console.log(`linear_probe_accuracy: ${linear_probe_accuracy.toFixed(4)}`);
  },
);
