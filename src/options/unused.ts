import { flag, integer, text } from './define';

/** Flags of the Python code that are taken for the sake of its command lines, and do nothing here. */
export const unusedOptions = {
  wandb: flag('accepted but not used: metrics.jsonl holds the numbers that the Python code sends to Weights & Biases'),
  notes: text({ doc: 'a note on the run, kept in params.txt', default: undefined }),
  defense: flag('accepted but not used, as in the Python code'),
  defense_epoch: integer({ doc: 'accepted but not used, as in the Python code', default: 30, unit: 'epoch' }),
  crop_size: integer({ doc: 'accepted but not used, as in the Python code', default: 100, unit: 'pixels' }),
};

/** A sentence for each flag given that does nothing. */
export function unusedWarnings(options: { wandb: boolean; defense: boolean }): string[] {
  return [
    ...(options.wandb ? ['--wandb sends nothing; metrics.jsonl holds every number.'] : []),
    ...(options.defense ? ['--defense does nothing, as in the Python code.'] : []),
  ];
}
