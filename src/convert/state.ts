import type { Clip } from '../clip/clip';
import { type CompleteConfig } from '../clip/config';
import type { StateDict } from '../clip/weights';
import { CleanclipError, optionError } from '../errors';
import { clipPreprocessing } from '../images/preprocess_config';
import { END_TOKEN } from '../text/bpe';
import { type Tensor, torch } from '../torch';

/** A model on its way out. */
export interface Outgoing {
  readonly config: CompleteConfig;
  /** under OpenAI's names, detached, on the CPU; what has a fraction is of the dtype asked for */
  readonly state: StateDict;
  readonly half: boolean;
}

/**
 * The model's weights as they are to be stored.
 * @param half float16 for float32
 * @throws CleanclipError `ERR_CHECKPOINT` for a weight that is finite and beyond the range of float16
 */
export function outgoing(clip: Clip, half: boolean): Outgoing {
  const entries = Object.entries(clip.stateDict()).map(
    ([name, tensor]) => [name, stored(name, tensor.detach().to('cpu'), half)] as const,
  );
  return { config: clip.config, state: Object.fromEntries(entries), half };
}

function stored(name: string, tensor: Tensor, half: boolean): Tensor {
  if (name.endsWith('.num_batches_tracked')) return tensor.to('int64'); // as torch has it
  if (!half || !tensor.dtype.startsWith('float')) return tensor;
  const halved = tensor.to('float16');
  if (torch.equal(tensor.isfinite(), halved.isfinite())) return halved;
  throw new CleanclipError(
    `${name} has weights beyond 65504, the largest number of float16; leave out --dtype fp16.`,
    'ERR_CHECKPOINT',
  );
}

/**
 * Refuses a model of which a format cannot say everything.
 * @param format as the sentence begins
 * @param can the only values that the format knows of a field
 * @throws CleanclipError `ERR_OPTION` naming what it cannot say
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
    throw optionError(`${format} cannot say that the model has ${faults.join(', ')}; convert it --to ${instead}.`);
}

/** Whether 'eos' reads a text where 'argmax' does: at the first end token, which is the highest id. */
const isEndToken = ({ textEosId, vocabularySize }: CompleteConfig): boolean =>
  textEosId === END_TOKEN && vocabularySize === END_TOKEN + 1;

/** What a format that says nothing of preprocessing, or of how a text is read, takes for granted. */
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
