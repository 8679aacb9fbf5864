import type { ReportInput } from '../options/inputs.gen';
import { jobCommand } from './job_command';

/** The command `cleanclip report`, which writes a page about runs. */
export const command = jobCommand<ReportInput>(
  'report',
  'Write one HTML page about runs: flags, results with intervals, curves, images and differences. It needs no network.',
  async (input) => {
    const { report } = await import('../jobs/pictures');
    const { output, runs, leftOut } = await report(input);
    for (const path of leftOut) console.error(`${path} is no folder of a run and is left out.`);
    console.log(`${output} is written, with ${runs.length} run${runs.length > 1 ? 's' : ''}: ${runs.join(', ')}`);
  },
);
