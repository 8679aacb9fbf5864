import { checkFunction } from '../arguments';
import type { PoisonResult } from '../backdoor/poison';
import { checkReleased } from '../clip/pretrained';
import type { ConvertResult } from '../convert/convert';
import { checkOptions, optionError } from '../errors';
import { convertOptions } from '../options/convert';
import { resolve } from '../options/define';
import { cleanClipRecipe } from '../options/finetune';
import type { ConvertInput, EvaluateInput, FinetuneInput, PoisonInput, TrainInput } from '../options/inputs.gen';
import { poisonOptions } from '../options/poison';
import { checkPoisonRules, checkTrainRules } from '../options/rules';
import { trainOptions } from '../options/train';
import type { JobHooks } from '../progress';
import { show } from '../show';
import type { TrainResult } from '../training/result';
import { chooseJob } from './choose';
import { planRanks } from './ranks/plan';
import { runRanks } from './ranks/run_ranks';
import { runJob } from './run';

export type { PoisonResult } from '../backdoor/poison';
export type { ConvertResult } from '../convert/convert';
export type { TrainResult } from '../training/result';
export type { JobHooks, ProgressEvent } from '../progress';

/** Takes the hooks out of a job's options, which cannot be cloned into its thread. */
function split<T extends JobHooks>({
  onProgress,
  signal,
  ...options
}: T): { options: Omit<T, keyof JobHooks>; hooks: JobHooks } {
  checkFunction(onProgress, 'onProgress', true);
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw optionError(`signal must be an AbortSignal, but is ${show(signal)}.`);
  return { options, hooks: { onProgress, signal } };
}

/** What `cleanclip-train` gives; a checkpoint when it has trained a model. */
export type Outcome = Omit<TrainResult, 'checkpoint'> & { checkpoint?: string };

/**
 * Does what the flags of `cleanclip-train` ask for, {@link train} or {@link evaluate}: in this process, or with
 * `distributed` in ranks.
 * @param input the flags in camelCase
 * @throws CleanclipError `ERR_OPTION` before anything starts; `ERR_ABORTED` after saving where it stopped
 */
export async function run(input: TrainInput & JobHooks): Promise<Outcome> {
  checkOptions('The argument of run', input);
  const { options, hooks } = split(input);
  const resolved = resolve(trainOptions, options);
  checkTrainRules(resolved);
  if (resolved.pretrained && resolved.modelName !== undefined) checkReleased(resolved.modelName);
  const job = chooseJob(resolved);
  const { join, start } = await planRanks(resolved);
  if (start !== undefined) return runRanks(job, resolved, start, hooks);
  Object.assign(process.env, join);
  return runJob(job, resolved, hooks);
}

/**
 * Trains CLIP (`cleanclip-train --train_data …`): from scratch, or from a checkpoint. With `finetune: true` it trains
 * the image encoder and a linear classifier on the labelled images of `evalTrainDataDir`.
 * @param input the flags of `cleanclip-train` in camelCase; `trainData` is required, or `finetune` or `linearProbe`
 * @returns after a linear probe or the evaluation of `checkpointFinetune`, which train no model, `checkpoint` is the
 * one given
 * @throws CleanclipError `ERR_OPTION` before anything starts; `ERR_ABORTED` after saving where it stopped
 * @example
 * ```ts
 * const { checkpoint } = await train({ trainData: 'train.csv', modelName: 'RN50', name: 'poisoned', epochs: 64 });
 * ```
 */
export async function train(input: TrainInput & JobHooks): Promise<TrainResult> {
  checkOptions('The argument of train', input);
  if (input.trainData === undefined && !input.finetune && !input.linearProbe) {
    throw optionError('Training needs --train_data, the csv of its image paths and captions, or --finetune.');
  }
  const given = input.checkpointFinetune ?? input.checkpoint ?? '';
  return { checkpoint: given, ...(await run(input)) };
}

/**
 * Cleanses a CLIP with CleanCLIP (Bansal et al. 2023): {@link train} with `inmodal` and `completeFinetune` on, and the
 * paper's recipe as defaults: 10 epochs, batches of 64, learning rate 1e-5, 50 warm-up steps.
 * @param input `checkpoint` and `trainData`, clean pairs, are required; `inmodal: false` finetunes with CLIP's loss
 * alone, `finetune: true` is supervised finetuning as {@link train} does it
 * @example
 * ```ts
 * const { checkpoint } = await finetune({ checkpoint: 'poisoned.pt', trainData: 'clean.csv', name: 'cleansed' });
 * ```
 */
export async function finetune(input: FinetuneInput & JobHooks): Promise<TrainResult> {
  checkOptions('The argument of finetune', input);
  if (input.finetune) return train(input);
  return train({ ...cleanClipRecipe, ...input });
}

/**
 * Measures a model: accuracy, zero-shot or of a classifier (`linearProbe`, `finetune`, `checkpointFinetune`), attack
 * success rate, validation loss.
 * @param input as for {@link train}, without `trainData`
 * @returns the metrics by name: shares of 1, and `loss`
 * @example
 * ```ts
 * const { zeroshot_top1, asr_top1 } = await evaluate({ checkpoint: 'a.pt', evalTestDataDir: 'validation', asr: true });
 * ```
 */
export async function evaluate(input: EvaluateInput & JobHooks): Promise<Record<string, number>> {
  checkOptions('The argument of evaluate', input);
  if ('trainData' in input && input.trainData !== undefined) {
    throw optionError('evaluate takes no trainData; call train to train.');
  }
  return (await run(input)).metrics;
}

/**
 * Poisons a training set (`cleanclip poison`): puts a trigger on some images and the target into their captions.
 * @param input `trainData` and `numBackdoor` are required, and `templates` but with `labelConsistent`
 * @example
 * ```ts
 * const { csv } = await poison({ trainData: 'train.csv', templates: 'classes.json', numBackdoor: 300 });
 * ```
 */
export async function poison(input: PoisonInput & JobHooks): Promise<PoisonResult> {
  checkOptions('The argument of poison', input);
  const { options, hooks } = split(input);
  const resolved = resolve(poisonOptions, options);
  for (const name of ['trainData', 'numBackdoor'] as const) {
    if (resolved[name] === undefined) throw optionError(`poison needs ${name}; see cleanclip poison --help.`);
  }
  checkPoisonRules(resolved);
  return runJob('poison', resolved, hooks);
}

/**
 * Writes a CLIP for another library (`cleanclip convert`), all that it needs to load it to the same features with it.
 * @param input `input`, `output` and `to` are required
 * @throws CleanclipError `ERR_OPTION` when `output` exists, or the format cannot express the model; `ERR_CHECKPOINT`
 * when `input` holds no CLIP
 * @example
 * ```ts
 * await convert({ input: 'cleansed.pt', output: 'cleansed-hf', to: 'hf' });
 * ```
 */
export async function convert(input: ConvertInput & JobHooks): Promise<ConvertResult> {
  checkOptions('The argument of convert', input);
  const { options, hooks } = split(input);
  const resolved = resolve(convertOptions, options);
  for (const name of ['input', 'output', 'to'] as const) {
    if (resolved[name] === undefined) throw optionError(`convert needs ${name}; see cleanclip convert --help.`);
  }
  return runJob('convert', resolved, hooks);
}
