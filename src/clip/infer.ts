import { CleanclipError } from '../errors';
import { type ClipConfig, mlpRatio } from './config';

/** The shape of each tensor of a state dict. */
export type Shapes = Record<string, readonly number[]>;

/** The fields that cannot be inferred from the shapes of a state dict. */
export const openFields = [
  'activation',
  'visionHeads',
  'textHeads',
  'visionPool',
  'visionNormAfterPool',
  'textPool',
  'textEosId',
  'textCausal',
  'imageMean',
  'imageStd',
  'interpolation',
  'resizeMode',
  'fillColor',
  'cropRounding',
] as const;

/** The fields that can be inferred from shapes. */
export type Sizes = Omit<ClipConfig, (typeof openFields)[number]>;

/**
 * Infers the sizes of a model from the shapes of a state dict under OpenAI's names.
 * @throws CleanclipError `ERR_CHECKPOINT` when the state dict does not belong to a CLIP
 */
export function sizesOfShapes(shapes: Shapes): Sizes {
  const size: Size = (name, dimension) => {
    const length = shapes[name]?.[dimension];
    if (length === undefined) {
      throw new CleanclipError(
        `This is not the state dict of a CLIP: it should hold ${name}, and its names are ${sample(shapes)}.`,
        'ERR_CHECKPOINT',
      );
    }
    return length;
  };
  const blocks: Blocks = (list) =>
    new Set(
      Object.keys(shapes).flatMap((name) => (name.startsWith(list) ? [name.slice(list.length).split('.')[0]] : [])),
    ).size;

  const textWidth = size('ln_final.weight', 0);
  const textProjectionBias = 'text_projection.bias' in shapes;
  return {
    embedDim: textProjectionBias ? size('text_projection.bias', 0) : size('text_projection', 1),
    ...('visual.conv1.weight' in shapes && 'visual.class_embedding' in shapes
      ? transformerSizes(shapes, size, blocks)
      : resnetSizes(size, blocks)),
    contextLength: size('positional_embedding', 0),
    vocabularySize: size('token_embedding.weight', 0),
    textWidth,
    textLayers: blocks('transformer.resblocks.'),
    textMlpRatio: ratioOf(shapes, 'transformer.', textWidth),
    textLayerScale: 'transformer.resblocks.0.ls_1.gamma' in shapes,
    textProjectionBias,
    logitBias: 'logit_bias' in shapes,
  };
}

type VisionSizes = Pick<
  Sizes,
  | 'imageSize'
  | 'visionLayers'
  | 'visionWidth'
  | 'visionPatchSize'
  | 'visionMlpRatio'
  | 'visionLayerScale'
  | 'visionPreNorm'
>;
type Size = (name: string, dimension: number) => number;
type Blocks = (list: string) => number;

function transformerSizes(shapes: Shapes, size: Size, blocks: Blocks): VisionSizes {
  const visionPatchSize = size('visual.conv1.weight', 3);
  const visionWidth = size('visual.conv1.weight', 0);
  return {
    imageSize: visionPatchSize * side(size('visual.positional_embedding', 0)),
    visionLayers: blocks('visual.transformer.resblocks.'),
    visionWidth,
    visionPatchSize,
    visionMlpRatio: ratioOf(shapes, 'visual.transformer.', visionWidth),
    visionLayerScale: 'visual.transformer.resblocks.0.ls_1.gamma' in shapes,
    visionPreNorm: 'visual.ln_pre.weight' in shapes,
  };
}

function resnetSizes(size: Size, blocks: Blocks): VisionSizes {
  return {
    imageSize: 32 * side(size('visual.attnpool.positional_embedding', 0)),
    visionLayers: [1, 2, 3, 4].map((stage) => blocks(`visual.layer${stage}.`)),
    visionWidth: size('visual.layer1.0.conv1.weight', 0),
  };
}

const ratioOf = (shapes: Shapes, tower: string, width: number): number =>
  mlpRatio(width, shapes[`${tower}resblocks.0.mlp.c_fc.weight`]?.[0] ?? 4 * width);

/** Returns the side of a square grid of cells. There is one position more than there are cells. */
const side = (positions: number): number => Math.round(Math.sqrt(positions - 1));

function sample(shapes: Shapes): string {
  const found = Object.keys(shapes);
  return found.length === 0 ? 'none' : `${found.slice(0, 3).join(', ')}${found.length > 3 ? ', …' : ''}`;
}
