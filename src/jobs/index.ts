import type { PoisonResult } from '../backdoor/poison';
import { optionError } from '../errors';
import { resolve } from '../options/define';
import { poisonOptions, type PoisonInput } from '../options/poison';
import { trainOptions, type TrainInput } from '../options/train';
import type { TrainResult } from '../training/loop';
import type { JobHooks } from './progress';
import { runJob } from './run';

export type { PoisonResult } from '../backdoor/poison';
export type { TrainResult } from '../training/loop';
export type { JobHooks, ProgressEvent } from './progress';

/** Takes the hooks out of a job's options, which cannot be cloned into its thread. */
function split<T extends JobHooks>({ onProgress, signal, ...options }: T): { options: Omit<T, keyof JobHooks>; hooks: JobHooks } {
  return { options, hooks: { onProgress, signal } };
}

/**
 * Trains CLIP (`cleanclip-train --train_data …`): from scratch, or from a checkpoint.
 * @param input the flags of `cleanclip-train` in camelCase; `trainData` is required
 * @throws CleanclipError `ERR_OPTION` before anything starts; `ERR_ABORTED` after saving where it stopped
 */
export async function train(input: TrainInput & JobHooks): Promise<TrainResult> {
  const { options, hooks } = split(input);
  return runJob('train', resolve(trainOptions, options), hooks);
}

/**
 * Cleanses a CLIP with CleanCLIP (Bansal et al. 2023): {@link train} with `inmodal` and `completeFinetune` on, and the paper's
 * recipe as defaults: 10 epochs, batches of 64, learning rate 1e-5, 50 warm-up steps.
 * @param input `checkpoint` and `trainData`, clean pairs, are required; `inmodal: false` finetunes with CLIP's loss alone
 */
export async function finetune(input: TrainInput & JobHooks): Promise<TrainResult> {
  const recipe = { inmodal: true, completeFinetune: true, epochs: 10, batchSize: 64, lr: 1e-5, numWarmupSteps: 50 };
  return train({ ...recipe, ...input });
}

/**
 * Measures a model: zero-shot accuracy, attack success rate, validation loss.
 * @param input as for {@link train}, without `trainData`
 * @returns the metrics by name: shares of 1, and `loss`
 */
export async function evaluate(input: Omit<TrainInput, 'trainData'> & JobHooks): Promise<Record<string, number>> {
  const { options, hooks } = split(input);
  if ('trainData' in options && options.trainData !== undefined) {
    throw optionError('evaluate takes no trainData; call train to train.');
  }
  return runJob('evaluate', resolve(trainOptions, options), hooks);
}

/**
 * Poisons a training set (`cleanclip poison`): puts a trigger on some images and the target into their captions.
 * @param input `trainData` and `numBackdoor` are required, and `templates` but with `labelConsistent`
 */
export async function poison(input: PoisonInput & JobHooks): Promise<PoisonResult> {
  const { options, hooks } = split(input);
  const resolved = resolve(poisonOptions, options);
  for (const name of ['trainData', 'numBackdoor'] as const) {
    if (resolved[name] === undefined) throw optionError(`poison needs ${name}; see cleanclip poison --help.`);
  }
  return runJob('poison', resolved, hooks);
}
