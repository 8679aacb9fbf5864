import { flag, severalOf, text } from './define';

/** Where a run can be reported beside metrics.jsonl. */
export const reporterNames = ['tensorboard', 'wandb'] as const;

/** The options of reports while a run goes on. */
export const reportOptions = {
  report_to: severalOf({
    doc: 'report the run there too: tensorboard (event files), wandb (an offline run that `wandb sync` sends)',
    choices: reporterNames,
  }),
  wandb: flag('the same as --report_to wandb: write an offline run of Weights & Biases, which `wandb sync` sends'),
  wandb_project: text({
    doc: 'project of Weights & Biases',
    default: undefined,
    unit: 'project',
    defaultText: 'WANDB_PROJECT, else clip-defense as in the Python code',
  }),
  wandb_entity: text({
    doc: 'user or team of Weights & Biases',
    default: undefined,
    unit: 'entity',
    defaultText: 'WANDB_ENTITY, else that of the key which `wandb sync` uses',
  }),
  notes: text({ doc: 'a note on the run, kept in params.txt and in its reports', default: undefined }),
};

/** Returns where a run is to be reported, without metrics.jsonl. */
export function reportersAsked({
  reportTo = [],
  wandb,
}: {
  reportTo?: readonly (typeof reporterNames)[number][];
  wandb: boolean;
}): Set<(typeof reporterNames)[number]> {
  return new Set([...reportTo, ...(wandb ? (['wandb'] as const) : [])]);
}
