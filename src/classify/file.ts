import { existsSync } from 'node:fs';

import { readInitial, type Checkpoint, type Order, type Position } from '../checkpoint';
import type { ClipConfig } from '../clip/config';
import { makeClip, type ModelOptions } from '../clip/open';
import { configIn, copyStateDict, stateDictIn, type StateDict } from '../clip/weights';
import { CleanclipError } from '../errors';
import type { JobHooks } from '../jobs/progress';
import type { TrainOptions } from '../options/train';
import { torch } from '../torch';
import type { GradScaler, GradScalerState } from '../torch/grad_scaler';
import type { AdamW, OptimizerState } from '../torch/optim';
import { OrderedDict } from '../torch/serialization';
import { Classifier, Linear } from './classifier';

/** A classifier's file as read: `finetune.pt`, this library's or Python's. */
export interface ClassifierFile extends Position {
  path: string;
  /** weight and bias of the linear layer */
  linear: StateDict;
  /** of CLIP, image encoder and text encoder */
  clip: StateDict;
  config: Partial<ClipConfig> | undefined;
  optimizer: OptimizerState | undefined;
  scaler: GradScalerState | undefined;
  order: Order | undefined;
}

/**
 * Writes a classifier as Python's `Finetune` module reads it, `{state_dict}`, and beside it the model's sizes and how far it is.
 * @param training `order`, and the state of the others too, to go on from this file
 */
export function writeClassifier(
  path: string,
  classifier: Classifier,
  { epoch, batch, step }: Position,
  { order, ...training }: { order?: Order; optimizer?: AdamW; scaler?: GradScaler } = {},
): void {
  const stateDict = new OrderedDict(Object.entries(classifier.stateDict()));
  const states = Object.entries(training).flatMap(([name, part]) => (part === undefined ? [] : [[name, part.stateDict()] as const]));
  torch.save({ state_dict: stateDict, config: classifier.clip.config, epoch, batch, step, ...(order && { order }), ...Object.fromEntries(states) }, path);
}

/**
 * Reads the file of a classifier.
 * @throws CleanclipError `ERR_CHECKPOINT` when there is none, or it is not one
 */
export function readClassifier(path: string): ClassifierFile {
  if (!existsSync(path)) {
    throw new CleanclipError(`There is no file '${path}'; give --checkpoint_finetune the finetune.pt of a supervised finetuning.`, 'ERR_CHECKPOINT');
  }
  const content = torch.load(path) as Record<string, unknown>;
  const stateDict = stateDictIn(content, path);
  const under = (prefix: string): StateDict =>
    Object.fromEntries(Object.entries(stateDict).flatMap(([name, tensor]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), tensor]] : [])));
  const linear = under('linear.');
  if (linear.weight?.shape.length !== 2 || linear.bias?.shape.length !== 1) {
    throw new CleanclipError(
      `'${path}' holds no classifier: expected linear.weight, linear.bias and a CLIP under model., as finetune.pt of a supervised finetuning has them.`,
      'ERR_CHECKPOINT',
    );
  }
  const count = (value: unknown): number => (typeof value === 'number' ? value : 0);
  return {
    path,
    linear,
    clip: under('model.'),
    config: configIn(content),
    optimizer: content.optimizer as OptimizerState | undefined,
    scaler: content.scaler as GradScalerState | undefined,
    order: content.order as Order | undefined,
    epoch: count(content.epoch),
    batch: count(content.batch),
    step: count(content.step),
  };
}

/** The classifier of a file. */
export function openClassifier(file: ClassifierFile, options: ModelOptions, device: string): Classifier {
  const clip = makeClip(options, device, { stateDict: file.clip, config: file.config });
  const linear = new Linear(clip.config.embedDim, file.linear.weight.shape[0], { device });
  copyStateDict({ weight: linear.weight, bias: linear.bias }, file.linear);
  return new Classifier(clip, linear);
}

/**
 * The weights that a job starts from: what `readInitial` gives, the image encoder of `checkpointFinetune` in place of its own if that
 * file is named; undefined for new weights.
 */
export async function initialWeights(options: TrainOptions, hooks: JobHooks): Promise<Checkpoint | undefined> {
  const { checkpointFinetune } = options;
  const base = await readInitial(options, hooks);
  if (checkpointFinetune === undefined) return base;
  const { clip, config, path } = readClassifier(checkpointFinetune);
  if (base === undefined) return { path, name: '', stateDict: clip, config, optimizer: undefined, epoch: 0, batch: 0, step: 0 };
  const visual = Object.entries(clip).filter(([name]) => name.startsWith('visual.'));
  return { ...base, stateDict: { ...base.stateDict, ...Object.fromEntries(visual) } };
}
