import { isDeepStrictEqual } from 'node:util';

import { jobHints, makeClip, type ModelOptions } from '../clip/open';
import { knownModel, readWeights } from '../clip/read_model';
import { copyStateDict, type StateDict } from '../clip/weights';
import { CleanclipError } from '../errors';
import type { TrainOptions } from '../options/train';
import type { JobHooks } from '../progress';
import { checkExists, type Checkpoint, checkpointOf, readInitial } from '../run/checkpoint';
import { type LoopState, type Order } from '../run/state';
import { torch } from '../torch';
import type { GradScaler } from '../torch/grad_scaler';
import type { AdamW } from '../torch/optim';
import { OrderedDict } from '../torch/serialization';
import { Classifier, Linear } from './classifier';

/** A classifier's file as read: `finetune.pt`, this library's or Python's. */
export interface ClassifierFile extends Omit<Checkpoint, 'stateDict'> {
  /** weight and bias of the linear layer */
  linear: StateDict;
  /** of CLIP, image encoder and text encoder */
  clip: StateDict;
}

/**
 * Writes a classifier as Python's `Finetune` module reads it, `{state_dict}`, and beside it the model's sizes and how
 * far it is.
 * @param training `order`, and the state of the others too, to go on from this file
 */
export function writeClassifier(
  path: string,
  classifier: Classifier,
  { epoch, batch, step }: LoopState,
  { order, ...training }: { order?: Order; optimizer?: AdamW; scaler?: GradScaler } = {},
): void {
  const stateDict = new OrderedDict(Object.entries(classifier.stateDict()));
  const states = Object.entries(training).flatMap(([name, part]) =>
    part === undefined ? [] : [[name, part.stateDict()] as const],
  );
  torch.save(
    {
      state_dict: stateDict,
      config: classifier.clip.config,
      epoch,
      batch,
      step,
      ...(order && { order }),
      ...Object.fromEntries(states),
    },
    path,
  );
}

/**
 * Reads the file of a classifier.
 * @param options what a job's options say of its architecture
 * @throws CleanclipError `ERR_CHECKPOINT` when there is none, or it is not one
 */
export function readClassifier(
  path: string,
  options: Partial<Pick<ModelOptions, 'modelName' | 'activation'>>,
): ClassifierFile {
  checkExists(path, '--checkpoint_finetune the finetune.pt of a supervised finetuning');
  const file = readWeights(path, true);
  const { linear } = file;
  if (linear.weight?.shape.length !== 2 || linear.bias?.shape.length !== 1) {
    throw new CleanclipError(
      `'${path}' holds no classifier: expected linear.weight, linear.bias and a CLIP under model., as ` +
        'finetune.pt of a supervised finetuning has them.',
      'ERR_CHECKPOINT',
    );
  }
  const { stateDict, ...rest } = checkpointOf(knownModel(file, jobHints(options)));
  return { ...rest, linear, clip: stateDict };
}

/** The classifier of a file. */
export function openClassifier(file: ClassifierFile, options: ModelOptions, device: string): Classifier {
  const clip = makeClip(options, device, { stateDict: file.clip, config: file.config });
  const linear = new Linear(clip.config.embedDim, file.linear.weight.shape[0], { device });
  copyStateDict({ weight: linear.weight, bias: linear.bias }, file.linear);
  return new Classifier(clip, linear);
}

/** What an image encoder computes by beside its weights. */
const visualFields = [
  'activation',
  'visionHeads',
  'visionPool',
  'visionNormAfterPool',
  'imageMean',
  'imageStd',
  'interpolation',
  'resizeMode',
  'fillColor',
  'cropRounding',
] as const;

/**
 * The weights that a job starts from: what `readInitial` gives, the image encoder of `checkpointFinetune` in place of
 * its own if that file is named; undefined for new weights.
 */
export async function initialWeights(options: TrainOptions, hooks: JobHooks): Promise<Checkpoint | undefined> {
  const { checkpointFinetune } = options;
  const base = await readInitial(options, hooks);
  if (checkpointFinetune === undefined) return base;
  const { clip, config, assumed, path } = readClassifier(checkpointFinetune, options);
  if (base === undefined)
    return {
      path,
      name: '',
      stateDict: clip,
      config,
      assumed,
      optimizer: undefined,
      untaken: [],
      epoch: 0,
      batch: 0,
      step: 0,
    };
  const differs = visualFields.find((field) => !isDeepStrictEqual(config[field], base.config[field]));
  if (differs !== undefined) {
    throw new CleanclipError(
      `The image encoder of '${path}' has ${differs} ${String(config[differs])} and ` +
        `'${base.path}' ${String(base.config[differs])}; give files of one architecture.`,
      'ERR_CHECKPOINT',
    );
  }
  const visual = Object.entries(clip).filter(([name]) => name.startsWith('visual.'));
  return { ...base, stateDict: { ...base.stateDict, ...Object.fromEntries(visual) } };
}
