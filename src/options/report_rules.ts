// The rules between two flags of `cleanclip-train` on measuring while a model trains, and on reports.
import { refuse } from './refuse';
import { reportersAsked } from './report';
import type { TrainOptions } from './train';

/**
 * Checks the rules of measuring while a model trains.
 * @throws CleanclipError `ERR_OPTION` when nothing is trained or measured, or the metric is not measured
 */
export function checkMeasuringRules(options: TrainOptions): void {
  const { trainData, finetune, checkpointFinetune, evalTestDataDir, validationData, bestMetric } = options;
  const trains = trainData !== undefined || (finetune && checkpointFinetune === undefined);
  for (const [flag, given] of [
    ['eval_every_epochs', options.evalEveryEpochs !== undefined],
    ['eval_every_steps', options.evalEverySteps > 0],
  ] as const) {
    refuse(given && !trains, `--${flag} is for training; add --train_data or --finetune, or leave it out.`);
    refuse(
      given && evalTestDataDir === undefined && validationData === undefined,
      `--${flag} needs something to measure on; add --eval_test_data_dir or --validation_data.`,
    );
  }
  if (bestMetric === undefined) return;
  refuse(
    trainData === undefined,
    '--best_metric chooses among the checkpoints of --train_data; add that flag, or leave it out.',
  );
  const lacking = lackOf(bestMetric, options);
  refuse(lacking !== undefined, `--best_metric ${bestMetric} is not measured; ${lacking}, or choose another metric.`);
}

/** Returns what is to be done so that a metric is measured, or undefined when it is. */
function lackOf(metric: string, options: TrainOptions): string | undefined {
  const { validationData, evalTestDataDir, linearProbe, asr, addBackdoor } = options;
  if (metric === 'loss') return validationData === undefined ? 'add --validation_data' : undefined;
  if (evalTestDataDir === undefined) return 'add --eval_test_data_dir';
  if (metric.startsWith('asr_')) return asr ? undefined : 'add --asr';
  if (metric.startsWith('triggered_') && !asr && !addBackdoor) return 'add --asr or --add_backdoor';
  if (metric.includes('linear_probe') !== linearProbe)
    return linearProbe ? 'leave out --linear_probe' : 'add --linear_probe';
  return undefined;
}

/**
 * Checks the rules of reports.
 * @throws CleanclipError `ERR_OPTION` when a flag of Weights & Biases is given without it
 */
export function checkReportRules(options: TrainOptions): void {
  for (const [flag, value] of [
    ['wandb_project', options.wandbProject],
    ['wandb_entity', options.wandbEntity],
  ] as const) {
    refuse(
      value !== undefined && !reportersAsked(options).has('wandb'),
      `--${flag} is for Weights & Biases; add --wandb, or leave it out.`,
    );
    refuse(
      value !== undefined && !/^[^/\\#?%:\p{Cc}]{1,128}$/u.test(value),
      `--${flag} must be a name of at most 128 characters without slashes, #, ?, % and :, but is '${value}'.`,
    );
  }
}
