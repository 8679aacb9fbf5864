import { Command } from 'commander';

import { trainOptions } from '../options/train';
import { addOptions, normaliseArguments, toInput } from './option_table';
import { runCommand } from './run_command';

const program = addOptions(new Command('cleanclip-train'), trainOptions)
  .description(
    'Train CLIP on image-caption pairs, cleanse it with CleanCLIP, or measure it. With --train_data it trains ' +
      'CLIP, with --finetune a classifier; without either it evaluates.',
  )
  .allowExcessArguments(false);

void runCommand('cleanclip-train', async (hooks) => {
  program.parse(normaliseArguments(process.argv.slice(2), trainOptions), { from: 'user' });
  const input = toInput(trainOptions, program.opts());
  const { run } = await import('../jobs');
  const { checkpoint } = await run({ ...input, ...hooks });
  const ofFirstRank = Number(process.env.RANK ?? input.nodeRank ?? 0) === 0;
  if (checkpoint !== undefined && ofFirstRank) console.log(`The last checkpoint is ${checkpoint}`);
});
