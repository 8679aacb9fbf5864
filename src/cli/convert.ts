import type { ConvertInput } from '../options/inputs.gen';
import { jobCommand } from './job_command';

/** The command `cleanclip convert`, which writes a model for another library. */
export const command = jobCommand<ConvertInput>(
  'convert',
  "Write a CLIP for OpenAI's clip, open_clip, transformers or onnxruntime, with all that they need to load it to the " +
    'same features.',
  async (input) => {
    const { convert } = await import('../jobs');
    const { output, files } = await convert(input);
    console.log(`${output} is written${files.length > 1 ? `: ${files.join(', ')}` : ''}`);
  },
);
