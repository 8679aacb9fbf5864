import { flag, integer, integers, text } from './define';

/** Flags of the Python code that are taken for the sake of its command lines, and do nothing here. */
export const unusedOptions = {
  wandb: flag('taken but not used: metrics.jsonl holds the numbers that the Python code sends to Weights & Biases'),
  notes: text({ doc: 'a note on the run, kept in params.txt', default: undefined }),
  distributed: flag('taken but not used yet: a run has one device'),
  distributed_backend: text({ doc: 'taken but not used yet', default: 'nccl', choices: ['nccl', 'gloo'] }),
  distributed_init_method: text({ doc: 'taken but not used yet', default: 'tcp://127.0.0.1:7308', unit: 'address' }),
  distributed_timeout: integer({ doc: 'seconds that the ranks wait for one another at most', default: 1800, min: 1, unit: 'seconds' }),
  device_ids: integers({ doc: 'taken but not used yet', unit: 'index' }),
  defense: flag('taken but not used, as in the Python code'),
  defense_epoch: integer({ doc: 'taken but not used, as in the Python code', default: 30, unit: 'epoch' }),
  crop_size: integer({ doc: 'taken but not used, as in the Python code', default: 100, unit: 'pixels' }),
};

/** A sentence for each flag given that does nothing. */
export function unusedWarnings(options: { wandb: boolean; distributed: boolean; defense: boolean }): string[] {
  return [
    ...(options.wandb ? ['--wandb sends nothing; metrics.jsonl holds every number.'] : []),
    ...(options.distributed ? ['--distributed does nothing yet; the run has one device.'] : []),
    ...(options.defense ? ['--defense does nothing, as in the Python code.'] : []),
  ];
}
