import type { DownloadInput } from '../options/inputs.gen';
import { jobCommand } from './job_command';

/** The command `cleanclip download`, which fetches the images of a file of captions and URLs. */
export const command = jobCommand<DownloadInput>(
  'download',
  'Download the images of a tsv of captions and URLs (CC3M, CC12M) to a training set; a stopped download goes on.',
  async (input) => {
    const { download } = await import('../jobs');
    const { trainData, status, rows, images, failed, asked } = await download(input);
    console.log(`${images} of ${rows} rows have an image; the set is ${trainData}`);
    if (asked < rows) console.log(`${rows - asked} rows were done before, repeat another URL, or have none.`);
    if (failed > 0) console.log(`${failed} rows have no image; ${status} says why.`);
  },
);
