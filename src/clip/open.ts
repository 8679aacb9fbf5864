import { optionError } from '../errors';
import { END_TOKEN } from '../text/bpe';
import { torch } from '../torch';
import { checkConfig } from './check_config';
import type { ClipConfig, CompleteConfig } from './config';
import { Clip, type Precision } from './model';
import { configOfModelName, hintsOf } from './names';
import type { Activation, Hints } from './resolve';
import type { StateDict } from './weights';

/** The name of the model when no --model_name is given: for new weights, and for OpenAI's. */
export const DEFAULT_NAME = 'RN50';

/** The options of a job that choose the model. */
export interface ModelOptions {
  /** name of the architecture; default: what the checkpoint says, or {@link DEFAULT_NAME} for new weights */
  modelName?: string;
  /** activation of new weights, instead of the configuration's, or of a checkpoint that does not say it */
  activation?: Activation;
  precision: Precision | 'auto';
  seed: number;
  compat?: 'reference';
  gradCheckpointing?: boolean;
}

/**
 * Chooses the torch device for the options: a GPU if there is one, unless `device` says otherwise. When several ranks
 * share a machine, each uses a GPU of its own, chosen by LOCAL_RANK: from `deviceIds` if given, else from all GPUs.
 * @throws CleanclipError `ERR_OPTION` for a GPU that does not exist
 */
export function chooseDevice({
  device,
  deviceId,
  deviceIds,
}: {
  device?: 'cpu' | 'gpu';
  deviceId: number;
  deviceIds?: number[];
}): string {
  const gpus = device === 'cpu' ? 0 : torch.cuda.deviceCount();
  if (gpus === 0 && device !== 'gpu') return 'cpu';
  if (gpus === 0)
    throw optionError(
      '--device is gpu, but libtorch sees none; leave it out, or use a CUDA build of libtorch and look at nvidia-smi.',
    );
  const localRank =
    process.env.WORLD_SIZE === undefined
      ? undefined
      : Number(process.env.LOCAL_RANK ?? Number(process.env.RANK) % gpus);
  const id = localRank === undefined ? deviceId : deviceIds === undefined ? localRank : deviceIds[localRank];
  if (id < gpus) return `cuda:${id}`;
  const flag =
    localRank === undefined
      ? `--device_id must be below ${gpus}, the number of GPUs, but is ${deviceId}`
      : `Rank ${localRank} of this machine needs a GPU of its own, and there are ${deviceIds?.length ?? gpus}`;
  throw optionError(`${flag}.`);
}

/**
 * Resolves the precision `auto`: bf16 where the device has instructions for it, else fp32. With `compat` it is fp32.
 */
export function choosePrecision(precision: Precision | 'auto', device: string, compat?: 'reference'): Precision {
  if (precision !== 'auto') return precision;
  return compat === undefined && torch.hasBfloat16(device) ? 'bf16' : 'fp32';
}

/** Weights of a model, and its configuration. */
export interface Weights {
  stateDict: StateDict;
  config: CompleteConfig;
}

/**
 * Makes the model of a job: from the weights and configuration of a checkpoint if there is one, else with new weights
 * from the seed.
 */
export function makeClip(options: ModelOptions, device: string, checkpoint?: Weights): Clip {
  const clip = newClip(options, device, sizesOf(options, checkpoint));
  return checkpoint === undefined ? clip : clip.loadStateDict(checkpoint.stateDict);
}

/** Makes a model of this configuration with new weights from the seed. */
export function newClip(
  { seed, precision, compat, gradCheckpointing }: ModelOptions,
  device: string,
  config: ClipConfig,
): Clip {
  return new Clip(config, { device, precision: choosePrecision(precision, device, compat), seed, gradCheckpointing });
}

/**
 * Returns the configuration of a job's model.
 * @throws CleanclipError `ERR_OPTION` for an unknown model, sizes that cannot be built, or too small a vocabulary
 */
export function sizesOf({ modelName = DEFAULT_NAME, activation }: ModelOptions, checkpoint?: Weights): CompleteConfig {
  const named = (): CompleteConfig => checkConfig(configOfModelName(modelName));
  const config = checkpoint?.config ?? { ...named(), ...(activation && { activation }) };
  if (config.vocabularySize > END_TOKEN) return config;
  throw optionError(
    `The model knows ${config.vocabularySize} token ids, but CLIP's tokeniser has ${END_TOKEN + 1}; set ` +
      'vocabularySize to that.',
  );
}

/** Makes the hints that the options of a job give about the architecture of a checkpoint. */
export function jobHints({ modelName, activation }: Partial<Pick<ModelOptions, 'modelName' | 'activation'>>): Hints {
  if (modelName === undefined) return { activation };
  const { named, ...rest } = hintsOf(modelName, configOfModelName(modelName), activation);
  return { named: named && { ...named, by: `--model_name ${named.by}` }, ...rest };
}
