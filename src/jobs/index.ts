import type { PoisonResult } from '../backdoor/poison';
import { checkReleased } from '../clip/pretrained';
import type { ConvertResult } from '../convert/convert';
import { checkOptions, optionError } from '../errors';
import { resolve } from '../options/define';
import { cleanClipRecipe } from '../options/finetune';
import type { ConvertInput, EvaluateInput, FinetuneInput, PoisonInput, TrainInput } from '../options/inputs.gen';
import { checkTrainRules } from '../options/rules';
import { trainOptions } from '../options/train';
import type { JobHooks } from '../progress';
import type { TrainResult } from '../training/result';
import { chooseJob } from './choose';
import { planRanks } from './ranks/plan';
import { runRanks } from './ranks/run_ranks';
import { runJob } from './run';
import { split, startJob } from './start';

export type { PoisonResult } from '../backdoor/poison';
export type { ConvertResult } from '../convert/convert';
export type { TrainResult } from '../training/result';
export { augmentImage, augmentText, download, prepare } from './data';
export type { AugmentResult, DownloadResult, PrepareResult } from './data';
export type { JobHooks, ProgressEvent } from '../progress';

/** The result of `cleanclip-train`. It has a checkpoint when a model was trained. */
export type Outcome = Omit<TrainResult, 'checkpoint'> & { checkpoint?: string };

/**
 * Does what the flags of `cleanclip-train` ask for, {@link train} or {@link evaluate}: in this process, or with
 * `distributed` in ranks.
 * @param input the flags in camelCase
 * @throws CleanclipError `ERR_OPTION` before anything starts; `ERR_ABORTED` when the signal aborts it, after saving the
 * last step
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
 * Trains CLIP on image-caption pairs (`cleanclip-train --train_data …`), from scratch or from a checkpoint. With
 * `finetune: true` it trains the image encoder and a linear classifier on the labelled images of `evalTrainDataDir`
 * instead. Source: Radford et al. 2021, and the training code of CleanCLIP.
 * @param input the flags of `cleanclip-train` in camelCase, with their defaults, and hooks; `trainData`, `finetune` or
 * `linearProbe` is required
 * @returns the last checkpoint, the metrics of the last evaluation and all records; after a linear probe or an
 * evaluation of `checkpointFinetune`, which train no model, `checkpoint` is the one given, or an empty string
 * @throws CleanclipError `ERR_OPTION` for wrong options, before anything starts; `ERR_CHECKPOINT` for a checkpoint that
 * cannot be used; `ERR_DATA` for data that cannot be used, or files that cannot be written; `ERR_DISTRIBUTED` when
 * ranks fail; `ERR_ABORTED` when the signal aborts it, after saving the last step
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
 * Cleanses a CLIP with CleanCLIP (Bansal et al. 2023). It is {@link train} with `inmodal` and `completeFinetune` on.
 * Other defaults are the recipe of the paper: 10 epochs, batches of 64, learning rate 1e-5, 50 warm-up steps.
 * @param input `checkpoint` and `trainData` (clean pairs) are required; `inmodal: false` finetunes with the loss of
 * CLIP alone; `finetune: true` is supervised finetuning, as in {@link train}
 * @returns as {@link train}
 * @throws CleanclipError as {@link train}
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
 * Measures a model: accuracy (zero-shot, or of a classifier with `linearProbe`, `finetune` or `checkpointFinetune`),
 * attack success rate, and validation loss.
 * @param input as for {@link train}, without `trainData`; `evalTestDataDir` or `validationData` is required
 * @returns the metrics by name: `loss`, and accuracies and rates as fractions from 0 to 1
 * @throws CleanclipError as {@link train}
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
 * Poisons a training set (`cleanclip poison`): puts a trigger on some images, and the target class into their captions.
 * Source: Carlini and Terzis 2022, as the training code of CleanCLIP does it.
 * @param input `trainData` and `numBackdoor` are required, and so is `templates` unless `labelConsistent` is true
 * @returns `trainData` of the poisoned set, which is a csv or, when `trainData` names shards, tars; and how many rows
 * are poisoned
 * @throws CleanclipError `ERR_OPTION` for wrong options; `ERR_DATA` for data that cannot be used, or files that cannot
 * be written; `ERR_ABORTED` when the signal aborts it
 * @example
 * ```ts
 * const poisoned = await poison({ trainData: 'train.csv', templates: 'classes.json', numBackdoor: 300 });
 * ```
 */
export async function poison(input: PoisonInput & JobHooks): Promise<PoisonResult> {
  return startJob('poison', input);
}

/**
 * Writes a CLIP for another library (`cleanclip convert`), with all that the library needs to compute the same
 * features.
 * @param input `input`, `output` and `to` are required; `dtype` of the weights is 'fp32' by default
 * @returns the absolute path of the output, and the names of its files
 * @throws CleanclipError `ERR_OPTION` when `output` exists, or the format cannot express the model; `ERR_CHECKPOINT`
 * when `input` holds no CLIP, or float16 cannot hold its weights; `ERR_DATA` when the output cannot be written;
 * `ERR_ABORTED` when the signal aborts it
 * @example
 * ```ts
 * await convert({ input: 'cleansed.pt', output: 'cleansed-hf', to: 'hf' });
 * ```
 */
export async function convert(input: ConvertInput & JobHooks): Promise<ConvertResult> {
  return startJob('convert', input);
}
