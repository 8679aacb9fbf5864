import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { CleanclipError, optionError } from '../errors';

/** How a picture becomes a model's pixels, as open_clip's `preprocess_cfg` names it. */
export interface PreprocessConfig {
  /** subtracted from each channel of values in [0, 1]; default CLIP's */
  imageMean?: readonly number[];
  /** by which each channel is then divided; default CLIP's */
  imageStd?: readonly number[];
  /** filter of the resize, antialiased; default 'bicubic' */
  interpolation?: 'bicubic' | 'bilinear';
  /** 'shortest' (default): resize the short side, then crop the middle; 'longest': the long side, then pad; 'squash': both sides */
  resizeMode?: 'shortest' | 'longest' | 'squash';
  /** value in 0 to 255 of the border that 'longest' adds; default 0 */
  fillColor?: number;
  /** of the margin that 'shortest' cuts off, where half a pixel is left: to the even pixel as torchvision (default), or 'down' as transformers */
  cropRounding?: 'even' | 'down';
}

/** The sizes of a CLIP and all else that its architecture leaves open. What is left out is as in OpenAI's models. */
export interface ClipConfig extends PreprocessConfig {
  /** features of an embedding */
  embedDim: number;
  /** pixels of a side */
  imageSize: number;
  /** blocks of a ModifiedResNet's four stages, or the depth of a VisionTransformer */
  visionLayers: number[] | number;
  /** channels of a ResNet's stem (even), or features of a VisionTransformer's tokens (a multiple of 64) */
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
  /** attention heads of a VisionTransformer, or of a ResNet's attention pool; default one for each 64 features */
  visionHeads?: number;
  /** hidden features of an MLP by those of a token; default 4 */
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
  /** 'argmax' (default): the highest id; 'eos': the first end token; 'first', 'last': that position */
  textPool?: 'argmax' | 'eos' | 'first' | 'last';
  /** whether a token sees only those before it; default true */
  textCausal?: boolean;
  /** whether the text projection has a bias; default false */
  textProjectionBias?: boolean;
  /** whether similarities have a learned offset (`logit_bias`); default false */
  logitBias?: boolean;
}

/** The shape of each tensor of a state dict. */
export type Shapes = Record<string, readonly number[]>;

const names = ['RN50', 'RN101', 'RN50x4', 'ViT-B/32', 'ViT-B/16', 'ViT-L/14', 'tiny'] as const;

/**
 * The named configurations: OpenAI's, and 'tiny', a ResNet for 64-pixel images that trains on a laptop in minutes.
 * They lie in `data/models`.
 */
export const configs: Readonly<Record<string, ClipConfig>> = Object.fromEntries(
  names.map((name) => {
    const file = join(__dirname, '../../data/models', `${name.replace('/', '-')}.json`);
    return [name, JSON.parse(readFileSync(file, 'utf8')) as ClipConfig];
  }),
);

/**
 * Returns the configuration if a CLIP can be built from it.
 * @throws CleanclipError `ERR_OPTION` naming the key, what it must be and what it is
 */
export function checkConfig(config: ClipConfig): ClipConfig {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw optionError(`The model configuration must be an object of sizes, but it is ${JSON.stringify(config)}.`);
  }
  const demand = (key: keyof ClipConfig, holds: boolean, wanted: string): void => {
    if (!holds) throw optionError(`The model configuration's ${key} must be ${wanted}, but it is ${JSON.stringify(config[key])}.`);
  };
  const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;
  const sizes = ['embedDim', 'imageSize', 'visionWidth', 'contextLength', 'vocabularySize', 'textWidth', 'textHeads', 'textLayers'] as const;
  for (const key of sizes) demand(key, isSize(config[key]), 'a whole number above 0');
  demand('textHeads', config.textWidth % config.textHeads === 0, `a divisor of textWidth, ${config.textWidth}`);

  const { visionLayers: layers, visionPatchSize: patch, imageSize } = config;
  if (patch === undefined) {
    demand('visionLayers', Array.isArray(layers) && layers.length === 4 && layers.every(isSize), 'four numbers above 0 (or give visionPatchSize)');
    demand('visionWidth', config.visionWidth % 2 === 0, 'even');
    demand('imageSize', imageSize % 32 === 0, 'a multiple of 32');
  } else {
    demand('visionLayers', isSize(layers), 'a whole number above 0 (or leave out visionPatchSize)');
    demand('visionWidth', config.visionWidth % 64 === 0, 'a multiple of 64');
    demand('visionPatchSize', isSize(patch) && imageSize % patch === 0, `a divisor of imageSize, ${imageSize}`);
  }
  return config;
}

/**
 * The configuration of the model that a state dict of these shapes belongs to, under OpenAI's names.
 * @param stored the configuration that a checkpoint of this library holds: shapes do not tell the number of text heads, which is one for
 *   each 64 features without it
 * @throws CleanclipError `ERR_CHECKPOINT` when it is no CLIP's
 */
export function configFromStateDict(shapes: Shapes, stored?: Partial<ClipConfig>): ClipConfig {
  const size = (name: string, dimension: number): number => {
    const length = shapes[name]?.[dimension];
    if (length === undefined) {
      throw new CleanclipError(`This is no state dict of a CLIP: it should hold ${name}, and its names are ${sample(shapes)}.`, 'ERR_CHECKPOINT');
    }
    return length;
  };
  const blocks = (list: string): number =>
    new Set(Object.keys(shapes).flatMap((name) => (name.startsWith(list) ? [name.slice(list.length).split('.')[0]] : []))).size;

  const textWidth = size('ln_final.weight', 0);
  return {
    embedDim: size('text_projection', 1),
    ...('visual.proj' in shapes ? transformerSizes(size, blocks) : resnetSizes(size, blocks)),
    contextLength: size('positional_embedding', 0),
    vocabularySize: size('token_embedding.weight', 0),
    textWidth,
    textHeads: stored?.textHeads ?? Math.max(1, Math.floor(textWidth / 64)),
    textLayers: blocks('transformer.resblocks.'),
  };
}

type VisionSizes = Pick<ClipConfig, 'imageSize' | 'visionLayers' | 'visionWidth' | 'visionPatchSize'>;
type Size = (name: string, dimension: number) => number;
type Blocks = (list: string) => number;

function transformerSizes(size: Size, blocks: Blocks): VisionSizes {
  const visionPatchSize = size('visual.conv1.weight', 3);
  return {
    imageSize: visionPatchSize * side(size('visual.positional_embedding', 0)),
    visionLayers: blocks('visual.transformer.resblocks.'),
    visionWidth: size('visual.conv1.weight', 0),
    visionPatchSize,
  };
}

function resnetSizes(size: Size, blocks: Blocks): VisionSizes {
  return {
    imageSize: 32 * side(size('visual.attnpool.positional_embedding', 0)),
    visionLayers: [1, 2, 3, 4].map((stage) => blocks(`visual.layer${stage}.`)),
    visionWidth: size('visual.layer1.0.conv1.weight', 0),
  };
}

/** The side of the square grid that has these positions, one more than its cells. */
const side = (positions: number): number => Math.round(Math.sqrt(positions - 1));

function sample(shapes: Shapes): string {
  const found = Object.keys(shapes);
  return found.length === 0 ? 'none' : `${found.slice(0, 3).join(', ')}${found.length > 3 ? ', …' : ''}`;
}
