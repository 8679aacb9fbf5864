import type { Clip } from '../clip/clip';
import { type CompleteConfig } from '../clip/config';
import type { StateDict } from '../clip/weights';
import { CleanclipError, optionError } from '../errors';
import { clipPreprocessing } from '../images/preprocess_config';
import { END_TOKEN } from '../text/bpe';
import { type Tensor, torch } from '../torch';

/** A model that is ready to be written. */
export interface Outgoing {
  readonly config: CompleteConfig;
  /** weights under OpenAI's names, detached, on the CPU; floating ones in the dtype asked for */
  readonly state: StateDict;
  /** whether floating weights are float16 */
  readonly half: boolean;
}

/**
 * Prepares the weights of a model for storing.
 * @param half whether to store floating weights as float16
 * @throws CleanclipError `ERR_CHECKPOINT` for a finite weight that is out of the range of float16
 */
export function outgoing(clip: Clip, half: boolean): Outgoing {
  const entries = Object.entries(clip.stateDict()).map(
    ([name, tensor]) => [name, stored(name, tensor.detach().to('cpu'), half)] as const,
  );
  return { config: clip.config, state: Object.fromEntries(entries), half };
}

function stored(name: string, tensor: Tensor, half: boolean): Tensor {
  if (name.endsWith('.num_batches_tracked')) return tensor.to('int64'); // the dtype that torch uses
  if (!half || !tensor.dtype.startsWith('float')) return tensor;
  const halved = tensor.to('float16');
  if (torch.equal(tensor.isfinite(), halved.isfinite())) return halved;
  throw new CleanclipError(
    `${name} has weights beyond 65504, the largest number of float16; leave out --dtype fp16.`,
    'ERR_CHECKPOINT',
  );
}

/**
 * Refuses a model that a format cannot describe fully.
 * @param format name of the format, as the start of the error sentence
 * @param can the only values that the format can express, by field
 * @param instead formats to name in the error instead
 * @throws CleanclipError `ERR_OPTION` naming the fields that it cannot express
 */
export function demand(
  config: CompleteConfig,
  format: string,
  can: Partial<Record<keyof CompleteConfig, readonly unknown[]>>,
  instead: string,
): void {
  const faults = (Object.entries(can) as [keyof CompleteConfig, readonly unknown[]][])
    .filter(([key, values]) => !values.some((value) => JSON.stringify(value) === JSON.stringify(config[key])))
    .map(([key]) => `${key} ${JSON.stringify(config[key])}`);
  if (faults.length > 0)
    throw optionError(`${format} cannot express that the model has ${faults.join(', ')}; convert it --to ${instead}.`);
}

/** Tells whether 'eos' selects the same token as 'argmax': the first end token, which has the highest id. */
const isEndToken = ({ textEosId, vocabularySize }: CompleteConfig): boolean =>
  textEosId === END_TOKEN && vocabularySize === END_TOKEN + 1;

/** Lists the values that a format assumes when it stores neither preprocessing nor architecture. */
export const openaiOnly = (config: CompleteConfig): Partial<Record<keyof CompleteConfig, readonly unknown[]>> => ({
  activation: ['quick_gelu'],
  visionHeads: [(config.visionPatchSize === undefined ? 32 * config.visionWidth : config.visionWidth) / 64],
  textHeads: [Math.max(1, Math.floor(config.textWidth / 64))],
  ...(config.visionPatchSize !== undefined && {
    visionMlpRatio: [4],
    visionPool: ['tok'],
    visionPreNorm: [true],
    visionLayerScale: [false],
  }),
  textMlpRatio: [4],
  textLayerScale: [false],
  textPool: isEndToken(config) ? ['argmax', 'eos'] : ['argmax'],
  textCausal: [true],
  textProjectionBias: [false],
  logitBias: [false],
  imageMean: [clipPreprocessing.imageMean],
  imageStd: [clipPreprocessing.imageStd],
  interpolation: ['bicubic'],
  resizeMode: ['shortest'],
});
