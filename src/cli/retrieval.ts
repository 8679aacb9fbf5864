import type { RetrievalInput } from '../options/inputs.gen';
import { textTable } from '../text_table';
import { jobCommand } from './job_command';

/** The command `cleanclip retrieval`, which measures retrieval between images and captions. */
export const command = jobCommand<RetrievalInput>(
  'retrieval',
  'Measure recall at 1, 5 and 10 of retrieval between images and captions, in percent.',
  async (input) => {
    const { retrieval } = await import('../jobs/embeddings');
    const results = await retrieval(input);
    console.log(
      textTable(
        results.map(({ file, images, texts, ...recall }) => ({
          file,
          images: String(images),
          texts: String(texts),
          ...Object.fromEntries(Object.entries(recall).map(([name, value]) => [name, value.toFixed(2)])),
        })),
      ),
    );
  },
);
