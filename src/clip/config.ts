import { clipPreprocessing, type PreprocessConfig } from '../images/preprocess_config';

/** The sizes of a CLIP model and the variants of its architecture. Every default is that of OpenAI's models. */
export interface ClipConfig extends PreprocessConfig {
  /** number of features of an embedding */
  embedDim: number;
  /** side of an image, in pixels */
  imageSize: number;
  /** number of blocks in each of a ResNet's four stages, or the number of blocks of a VisionTransformer */
  visionLayers: number[] | number;
  /** channels of a ResNet's stem (even), or features per token of a VisionTransformer */
  visionWidth: number;
  /** side of a patch, in pixels; only for a VisionTransformer, which this field selects */
  visionPatchSize?: number;
  /** number of token ids per caption */
  contextLength: number;
  /** number of different token ids */
  vocabularySize: number;
  /** features per token of the text transformer */
  textWidth: number;
  /** attention heads of the text transformer; OpenAI's models have one per 64 features */
  textHeads: number;
  /** number of blocks of the text transformer */
  textLayers: number;
  /** activation of the MLPs of both transformers: 'quick_gelu' (default) is x·σ(1.702x), 'gelu' is x·Φ(x) */
  activation?: 'quick_gelu' | 'gelu';
  /**
   * attention heads of a VisionTransformer, or of a ResNet's attention pool (32 · visionWidth features); default: one
   * per 64 features
   */
  visionHeads?: number;
  /**
   * hidden features of an MLP per feature of a token, rounded down to an integer; default 4; only for a
   * VisionTransformer
   */
  visionMlpRatio?: number;
  /** the same ratio of the text transformer; default 4 */
  textMlpRatio?: number;
  /** whether each residual branch has a learned factor per feature (`ls_1`, `ls_2`); default false */
  visionLayerScale?: boolean;
  /** the same for the text transformer; default false */
  textLayerScale?: boolean;
  /** whether a VisionTransformer normalises before its blocks (`ln_pre`); default true */
  visionPreNorm?: boolean;
  /** the image feature: the class token ('tok', default) or the mean of the patches ('avg') */
  visionPool?: 'tok' | 'avg';
  /** whether `ln_post` comes after pooling, as in OpenAI's models, rather than before; default true */
  visionNormAfterPool?: boolean;
  /**
   * the token whose feature is taken. 'argmax' (default): the one with the highest id. 'eos': the first `textEosId`, or
   * the first token when a caption has none. 'first', 'last': the token at that position
   */
  textPool?: 'argmax' | 'eos' | 'first' | 'last';
  /** the id that `textPool` 'eos' looks for; default 49407, the end token of CLIP's tokeniser */
  textEosId?: number;
  /** whether a token attends only to itself and earlier tokens; default true */
  textCausal?: boolean;
  /** whether the text projection has a bias; default false */
  textProjectionBias?: boolean;
  /** whether similarities have a learned offset (`logit_bias`); default false */
  logitBias?: boolean;
}

/** A configuration in which every field has a value; a ResNet has no `visionPatchSize`. */
export type CompleteConfig = Required<Omit<ClipConfig, 'visionPatchSize'>> & Pick<ClipConfig, 'visionPatchSize'>;

/** The defaults, which are the values of OpenAI's models. */
const architecture = {
  activation: 'quick_gelu',
  visionMlpRatio: 4,
  textMlpRatio: 4,
  visionLayerScale: false,
  textLayerScale: false,
  visionPreNorm: true,
  visionPool: 'tok',
  visionNormAfterPool: true,
  textPool: 'argmax',
  textEosId: 49407,
  textCausal: true,
  textProjectionBias: false,
  logitBias: false,
} as const;

/**
 * Fills in the default of every field that a configuration leaves out, and drops unknown fields.
 */
export function completeConfig(config: ClipConfig): CompleteConfig {
  const { visionPatchSize, visionWidth } = config;
  const { embedDim, imageSize, visionLayers, contextLength, vocabularySize, textWidth, textHeads, textLayers } = config;
  const attending = visionPatchSize === undefined ? 32 * visionWidth : visionWidth;
  const defaults = { ...architecture, visionHeads: attending / 64, ...clipPreprocessing };
  const given = config as Record<keyof typeof defaults, unknown>;
  const optional = Object.fromEntries(
    Object.entries(defaults).map(([key, value]) => [key, given[key as keyof typeof defaults] ?? value]),
  ) as typeof defaults;
  return {
    embedDim,
    imageSize,
    visionLayers,
    visionWidth,
    ...(visionPatchSize !== undefined && { visionPatchSize }),
    contextLength,
    vocabularySize,
    textWidth,
    textHeads,
    textLayers,
    ...optional,
  };
}

/** Returns the hidden features of an MLP on tokens of this width. */
export const mlpWidth = (width: number, ratio: number): number => Math.floor(width * ratio);

/** Returns a ratio for which {@link mlpWidth} gives these hidden features. */
export const mlpRatio = (width: number, hidden: number): number =>
  mlpWidth(width, hidden / width) === hidden ? hidden / width : (hidden + 0.5) / width;
