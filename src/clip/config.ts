import { clipPreprocessing, type PreprocessConfig } from '../images/preprocess_config';

/** The sizes of a CLIP model and the variants of its architecture. Every default is that of OpenAI's models. */
export interface ClipConfig extends PreprocessConfig {
  /** features of an embedding */
  embedDim: number;
  /** pixels of a side */
  imageSize: number;
  /** blocks of a ModifiedResNet's four stages, or the depth of a VisionTransformer */
  visionLayers: number[] | number;
  /** channels of a ResNet's stem (even), or features of a VisionTransformer's tokens */
  visionWidth: number;
  /** pixels of a patch's side; a VisionTransformer's only */
  visionPatchSize?: number;
  /** token ids of a caption */
  contextLength: number;
  /** number of token ids */
  vocabularySize: number;
  /** features of a token */
  textWidth: number;
  /** attention heads; OpenAI's models have one for each 64 features */
  textHeads: number;
  /** depth of the text transformer */
  textLayers: number;
  /** of the MLPs of both transformers: x·σ(1.702x) or x·Φ(x); default 'quick_gelu' */
  activation?: 'quick_gelu' | 'gelu';
  /**
   * attention heads of a VisionTransformer, or of a ResNet's attention pool (32 · visionWidth features); default one
   * for each 64 features
   */
  visionHeads?: number;
  /** hidden features of an MLP by those of a token, rounded down; default 4; a VisionTransformer's only */
  visionMlpRatio?: number;
  textMlpRatio?: number;
  /** whether each residual branch has a learned factor a feature (`ls_1`, `ls_2`); default false */
  visionLayerScale?: boolean;
  textLayerScale?: boolean;
  /** whether a VisionTransformer normalises before its blocks (`ln_pre`); default true */
  visionPreNorm?: boolean;
  /** 'tok' (default): the class token; 'avg': the mean of the patches */
  visionPool?: 'tok' | 'avg';
  /** whether `ln_post` comes after pooling, as in OpenAI's models (default true), or before it */
  visionNormAfterPool?: boolean;
  /**
   * 'argmax' (default): the highest id; 'eos': the first `textEosId`, or the first token where there is none; 'first',
   * 'last': that position
   */
  textPool?: 'argmax' | 'eos' | 'first' | 'last';
  /** the id that 'eos' looks for; default 49407, the end token of CLIP's tokeniser */
  textEosId?: number;
  /** whether a token sees only those before it; default true */
  textCausal?: boolean;
  /** whether the text projection has a bias; default false */
  textProjectionBias?: boolean;
  /** whether similarities have a learned offset (`logit_bias`); default false */
  logitBias?: boolean;
}

/** A configuration in which every field has a value; a ResNet has no `visionPatchSize`. */
export type CompleteConfig = Required<Omit<ClipConfig, 'visionPatchSize'>> & Pick<ClipConfig, 'visionPatchSize'>;

/** The defaults: the values of OpenAI's models. */
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
 * Fills in the default of every field that a configuration leaves out, and drops fields that no configuration has.
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
