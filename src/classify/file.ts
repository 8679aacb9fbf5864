import { jobHints, makeClip, type ModelOptions } from '../clip/open';
import { knownModel, readWeights } from '../clip/read_model';
import { copyStateDict, type StateDict } from '../clip/weights';
import { CleanclipError } from '../errors';
import { checkExists, type Checkpoint, checkpointOf } from '../run/checkpoint';
import { type LoopState, type Order } from '../run/state';
import { torch } from '../torch';
import type { GradScaler } from '../torch/grad_scaler';
import type { AdamW } from '../torch/optim';
import { OrderedDict } from '../torch/serialization';
import { Classifier, Linear } from './classifier';

/** The contents of a classifier's file `finetune.pt`, written by this library or by Python. */
export interface ClassifierFile extends Omit<Checkpoint, 'stateDict'> {
  /** weight and bias of the linear layer */
  linear: StateDict;
  /** weights of CLIP: image encoder and text encoder */
  clip: StateDict;
}

/**
 * Writes a classifier as `{state_dict}`, which the `Finetune` module of Python reads. Beside it are the sizes of the
 * model and how far it was trained. It writes the state at the time of the call: see {@link torch.saveAsync}.
 * @param training `order`, and the states of optimizer and scaler, for resuming from this file
 * @throws CleanclipError `ERR_CHECKPOINT` when the file cannot be written
 */
export function writeClassifier(
  path: string,
  classifier: Classifier,
  { epoch, batch, step }: LoopState,
  { order, ...training }: { order?: Order; optimizer?: AdamW; scaler?: GradScaler } = {},
): Promise<void> {
  const stateDict = new OrderedDict(Object.entries(classifier.stateDict()));
  const states = Object.entries(training).flatMap(([name, part]) =>
    part === undefined ? [] : [[name, part.stateDict()] as const],
  );
  return torch.saveAsync(
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
 * @param options what the options of a job say about its architecture
 * @throws CleanclipError `ERR_CHECKPOINT` when the file does not exist, or holds no classifier
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

/** Makes the classifier of a file, on a device. */
export function openClassifier(file: ClassifierFile, options: ModelOptions, device: string): Classifier {
  const clip = makeClip(options, device, { stateDict: file.clip, config: file.config });
  const linear = new Linear(clip.config.embedDim, file.linear.weight.shape[0], { device });
  copyStateDict({ weight: linear.weight, bias: linear.bias }, file.linear);
  return new Classifier(clip, linear);
}
