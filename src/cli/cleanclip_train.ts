import { Command } from 'commander';

import { type CommandLineFlags, commandLineFlags } from '../options/command_line';
import { trainOptions } from '../options/train';
import { addOptions, normaliseArguments, toInput } from './option_table';
import { runCommand } from './run_command';

const program = addOptions(new Command('cleanclip-train'), { ...trainOptions, ...commandLineFlags })
  .description(
    'Train CLIP on image-caption pairs, cleanse it with CleanCLIP, or measure it. With --train_data it trains ' +
      'CLIP, with --finetune a classifier; without either it evaluates.',
  )
  .allowExcessArguments(false);

void runCommand(
  'cleanclip-train',
  async (hooks) => {
    program.parse(normaliseArguments(process.argv.slice(2), trainOptions), { from: 'user' });
    const input = toInput(trainOptions, program.opts());
    const { run } = await import('../jobs');
    const { checkpoint, metrics } = await run({ ...input, ...hooks });
    const ofFirstRank = Number(process.env.RANK ?? input.nodeRank ?? 0) === 0;
    if (!ofFirstRank) return;
    // Without --quiet these are lines of the log.
    const results = program.opts<CommandLineFlags>().quiet ? Object.entries(metrics) : [];
    for (const [name, value] of results) console.log(`${name}: ${value.toFixed(4)}`);
    if (checkpoint !== undefined) console.log(`The last checkpoint is ${checkpoint}`);
  },
  () => program.opts(),
);
