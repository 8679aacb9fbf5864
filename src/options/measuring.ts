import { integer, text } from './define';

/** The metrics that can choose the best checkpoint. */
export const bestMetrics = [
  'loss',
  'zeroshot_top1',
  'zeroshot_top3',
  'zeroshot_top5',
  'zeroshot_top10',
  'triggered_zeroshot_top1',
  'triggered_zeroshot_top3',
  'triggered_zeroshot_top5',
  'triggered_zeroshot_top10',
  'asr_top1',
  'asr_top3',
  'asr_top5',
  'asr_top10',
  'linear_probe_accuracy',
  'triggered_linear_probe_accuracy',
] as const;

/** Tells whether a lower value of a metric is better: losses and attack success rates. */
export const lowerIsBetter = (metric: string): boolean => metric === 'loss' || metric.startsWith('asr_');

/** The options of measuring while a model trains. */
export const measuringOptions = {
  eval_every_epochs: integer({
    doc: 'measure after every N epochs of training, and at its end; 0 for only at the end',
    default: undefined,
    unit: 'epochs',
    defaultText: '1; with --finetune, 0',
  }),
  eval_every_steps: integer({
    doc: 'also measure every N steps of training; 0 for never',
    default: 0,
    unit: 'steps',
  }),
  best_metric: text({
    doc:
      'metric that chooses checkpoints/epoch.best.pt: loss and attack success (asr_*) by the lowest value, accuracy ' +
      'by the highest',
    default: undefined,
    unit: 'metric',
    choices: bestMetrics,
    defaultText: 'loss, with --validation_data',
  }),
};

/** When a run measures, from its options. */
export interface Measuring {
  evalEveryEpochs?: number;
  evalEverySteps: number;
}

/** Tells whether a model is to be measured after this many steps. */
export const dueAtStep = ({ evalEverySteps }: Measuring, step: number): boolean =>
  evalEverySteps > 0 && step % evalEverySteps === 0;

/**
 * Tells whether a model is to be measured after an epoch.
 * @param byDefault epochs from one measurement to the next when no flag says it; 0 for none
 */
export const dueAfterEpoch = (
  options: Measuring,
  { epoch, step }: { epoch: number; step: number },
  byDefault: number,
): boolean => {
  const { evalEveryEpochs = byDefault } = options;
  return (evalEveryEpochs > 0 && epoch % evalEveryEpochs === 0) || dueAtStep(options, step);
};
