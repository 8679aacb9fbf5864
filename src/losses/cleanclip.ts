import { optionError } from '../errors';
import type { Tensor } from '../torch';
import { contrastiveLoss, matchLoss, type Rows } from './contrastive';

/** What `cleanClipLoss` takes. All features are unit-norm, [N, D]. */
export interface CleanClipInput {
  imageEmbeds: Tensor;
  textEmbeds: Tensor;
  /** features of augmented views of the same images; with `augmentedTextEmbeds` */
  augmentedImageEmbeds?: Tensor;
  /** features of augmented views of the same captions */
  augmentedTextEmbeds?: Tensor;
  /** CLIP's logit_scale parameter, 0-dimensional; the similarities are scaled by its exponential */
  logitScale: Tensor;
  /** weight of the cross-modal loss; default 1 */
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
 * CleanCLIP's loss (Bansal et al. 2023, equation 3): CLIP's loss between images I and texts T, and the same within each
 * modality between a sample and its augmented view, ½[CE(s·I·I′ᵀ) + CE(s·T·T′ᵀ)]. Without augmented views it is CLIP's
 * loss alone.
 * @param rows the pairs whose loss it is, among all; default all N
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

/** @internal Throws unless all features are of one shape, and both augmented views are there or neither. */
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
