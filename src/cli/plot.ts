import type { PlotInput } from '../options/inputs.gen';
import { jobCommand } from './job_command';

/** The command `cleanclip plot`, which draws embeddings and the curves of runs. */
export const command = jobCommand<PlotInput>(
  'plot',
  'Draw embeddings by PCA or t-SNE, or the losses, CA and ASR of runs by step, as svg, png and csv.',
  async (input) => {
    const { plot } = await import('../jobs/pictures');
    const { files, descriptions, leftOut } = await plot(input);
    for (const path of leftOut) console.error(`${path} is no folder of a run and is left out.`);
    for (const description of descriptions) console.log(description);
    console.log(`Written: ${Object.values(files).join(', ')}`);
  },
);
