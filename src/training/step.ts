import type { Clip } from '../clip/model';
import { normalize } from '../clip/preprocess';
import type { Batch } from '../data/batch';
import { cleanClipLoss, unlearnLoss, type UnlearnLoss } from '../losses';
import type { TrainOptions } from '../options/train';
import { torch } from '../torch';
import type { AdamW } from '../torch/optim';

/** ln(100): the largest logit_scale that training leaves. */
const MAX_LOGIT_SCALE = 4.6052;

/** The weights of the losses of a step. */
export interface LossWeights {
  clipWeight: number;
  inmodalWeight: number;
  /** unlearn poisoned pairs, see {@link unlearnLoss} */
  unlearn?: { target: number; constraintWeight: number };
}

/** The weights that the options give the losses. */
export function lossWeights({ clipWeight, inmodalWeight, unlearn, unlearnTarget, constraintWeight, compat }: TrainOptions): LossWeights {
  const target = compat === 'reference' ? -(unlearnTarget ?? -1) : (unlearnTarget ?? 0);
  return { clipWeight, inmodalWeight, ...(unlearn && { unlearn: { target, constraintWeight } }) };
}

/** The losses of one step; what its batch has no pairs for is absent. */
export interface StepLosses {
  loss: number;
  contrastive_loss?: number;
  /** only with augmented views */
  inmodal_loss?: number;
  /** only when unlearning */
  constraint_loss?: number;
}

/**
 * One optimizer step on a batch. With augmented views, both views go through the model in one batch of 2N.
 * @param weights of the losses, see {@link cleanClipLoss} and {@link unlearnLoss}
 * @param device where the model is
 */
export function trainStep(
  clip: Clip,
  optimizer: AdamW,
  batch: Batch,
  { unlearn, ...weights }: LossWeights,
  device: string,
): StepLosses {
  return torch.tidy(() => {
    const n = batch.rows.length;
    const { pixels, ids, augmentedPixels, augmentedIds } = batch;
    const inmodal = augmentedPixels !== undefined && augmentedIds !== undefined;
    const allPixels = inmodal ? torch.cat([pixels, augmentedPixels]) : pixels; // uint8 [N or 2N, 3, S, S]
    const allIds = inmodal ? torch.cat([ids, augmentedIds]) : ids; // int64 [N or 2N, 77]

    const { imageEmbeds, textEmbeds } = clip.forward(allIds.to({ device }), normalize(allPixels.to({ device }))); // [N or 2N, D]
    const features = {
      imageEmbeds: imageEmbeds.narrow(0, 0, n),
      textEmbeds: textEmbeds.narrow(0, 0, n),
      augmentedImageEmbeds: inmodal ? imageEmbeds.narrow(0, n, n) : undefined,
      augmentedTextEmbeds: inmodal ? textEmbeds.narrow(0, n, n) : undefined,
      logitScale: clip.logitScale,
      ...weights,
    };
    const losses: UnlearnLoss =
      unlearn === undefined ? cleanClipLoss(features) : unlearnLoss({ ...features, ...unlearn, isBackdoor: batch.isBackdoor });

    losses.loss.backward();
    optimizer.step();
    optimizer.zeroGrad();
    torch.noGrad(() => clip.logitScale.clamp_(0, MAX_LOGIT_SCALE));
    return {
      loss: losses.loss.item(),
      ...(losses.contrastive && { contrastive_loss: losses.contrastive.item() }),
      ...(losses.inmodal && { inmodal_loss: losses.inmodal.item() }),
      ...(losses.constraint && { constraint_loss: losses.constraint.item() }),
    };
  });
}
