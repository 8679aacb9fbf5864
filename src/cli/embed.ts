import type { EmbedInput } from '../options/inputs.gen';
import { jobCommand } from './job_command';

/** The command `cleanclip embed`, which stores the embeddings of pairs or of a labelled set. */
export const command = jobCommand<EmbedInput>(
  'embed',
  'Embed image-caption pairs or a labelled set with a CLIP, and write the embeddings to a safetensors file.',
  async (input) => {
    const { embed } = await import('../jobs/embeddings');
    const { output, images, texts, width } = await embed(input);
    const what = input.trainData === undefined ? 'classes' : 'captions';
    console.log(`${images} images and ${texts} ${what}, width ${width}, are embedded in ${output}`);
  },
);
