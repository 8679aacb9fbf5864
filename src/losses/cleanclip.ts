import { optionError } from '../errors';
import type { Tensor } from '../torch';
import { contrastiveLoss, matchLoss, type Rows } from './contrastive';

/** The input of `cleanClipLoss`. All features are float32, unit-norm, [N, D], and on one device. */
export interface CleanClipInput {
  /** features of the images */
  imageEmbeds: Tensor;
  /** features of their captions, in the same order */
  textEmbeds: Tensor;
  /** features of augmented views of the same images; given together with `augmentedTextEmbeds` */
  augmentedImageEmbeds?: Tensor;
  /** features of augmented views of the same captions; given together with `augmentedImageEmbeds` */
  augmentedTextEmbeds?: Tensor;
  /** CLIP's logit_scale parameter, float32 []; the similarities are multiplied by its exponential s */
  logitScale: Tensor;
  /** weight of the image-text loss; default 1 */
  clipWeight?: number;
  /** weight of the in-modal losses; default 1 */
  inmodalWeight?: number;
}

/** The parts of CleanCLIP's loss, each a float32 scalar. */
export interface CleanClipLoss {
  /** clipWeight · contrastive + inmodalWeight · inmodal */
  loss: Tensor;
  /** CLIP's image-text loss */
  contrastive: Tensor;
  /** the self-supervised loss within images and within texts; absent without augmented views */
  inmodal?: Tensor;
}

/**
 * Computes CleanCLIP's loss (Bansal et al. 2023, equation 3). It adds two losses. One is CLIP's loss between images I
 * and texts T. The other is the same loss within each modality, ½[CE(s·I·I′ᵀ) + CE(s·T·T′ᵀ)], with augmented views I′
 * and T′. Without augmented views it is CLIP's loss alone.
 * @param input features, logit scale and weights
 * @param rows the pairs whose loss is computed, against all N pairs; default: all N
 * @returns the loss and its parts, each float32 []
 * @throws CleanclipError `ERR_OPTION` when the shapes differ, or only one augmented view is given
 * @example
 * ```ts
 * const { loss } = cleanClipLoss({ imageEmbeds, textEmbeds, logitScale: clip.logitScale });
 * loss.backward();
 * ```
 */
export function cleanClipLoss(input: CleanClipInput, rows?: Rows): CleanClipLoss {
  const { imageEmbeds, textEmbeds, augmentedImageEmbeds, augmentedTextEmbeds, logitScale } = input;
  const { clipWeight = 1, inmodalWeight = 1 } = input;
  checkFeatures(input);
  const scale = logitScale.exp();
  const contrastive = contrastiveLoss(imageEmbeds, textEmbeds, scale, 'mean', rows);
  if (augmentedImageEmbeds === undefined || augmentedTextEmbeds === undefined) {
    return { loss: clipWeight === 1 ? contrastive : contrastive.mul(clipWeight), contrastive };
  }
  const inmodal = matchLoss(imageEmbeds, augmentedImageEmbeds, scale, 'mean', rows)
    .add(matchLoss(textEmbeds, augmentedTextEmbeds, scale, 'mean', rows))
    .div(2);
  return { loss: contrastive.mul(clipWeight).add(inmodal.mul(inmodalWeight)), contrastive, inmodal };
}

/**
 * @internal Checks that all features have one shape [N, D], and that both augmented views are given or neither.
 * @throws CleanclipError `ERR_OPTION` otherwise
 */
export function checkFeatures(input: CleanClipInput): void {
  const { imageEmbeds, augmentedImageEmbeds, augmentedTextEmbeds } = input;
  if ((augmentedImageEmbeds === undefined) !== (augmentedTextEmbeds === undefined)) {
    throw optionError(
      'cleanClipLoss takes augmentedImageEmbeds and augmentedTextEmbeds together, but only one was given.',
    );
  }
  const expected = imageEmbeds.shape;
  for (const key of ['imageEmbeds', 'textEmbeds', 'augmentedImageEmbeds', 'augmentedTextEmbeds'] as const) {
    const shape = input[key]?.shape ?? expected;
    if (shape.length !== 2 || shape.some((length, i) => length !== expected[i])) {
      throw optionError(
        `cleanClipLoss takes features of one shape [N, D], but ${key} is [${shape}] beside [${expected}].`,
      );
    }
  }
}
