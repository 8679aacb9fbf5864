import { Command } from 'commander';

import { convertFlags } from '../options/convert';
import { addOptions, toInput } from './option_table';
import { runCommand } from './run_command';

/** `cleanclip convert`: writes a model for another library. */
export const command = addOptions(new Command('convert'), convertFlags)
  .description(
    "Write a CLIP for OpenAI's clip, open_clip, transformers or onnxruntime, with all that they need to load it " +
      'to the same features.',
  )
  .argument(
    '<in>',
    "checkpoint, state dict or folder of a CLIP, or the name of one of OpenAI's models for its released weights",
  )
  .argument('<out>', 'the file or folder to write; what exists is not written over')
  .action(async (input: string, output: string, parsed: Record<string, string | boolean>) => {
    await runCommand('cleanclip convert', async (hooks) => {
      const { convert } = await import('../jobs');
      const { files, ...result } = await convert({ ...toInput(convertFlags, parsed), input, output, ...hooks });
      console.log(`${result.output} is written${files.length > 1 ? `: ${files.join(', ')}` : ''}`);
    });
  });
