import type { Clip } from '../clip/model';
import type { Batch } from '../data/batch';
import { cleanClipLoss, unlearnLoss, type UnlearnLoss } from '../losses';
import type { TrainOptions } from '../options/train';
import { torch, type Tensor } from '../torch';
import type { GradScaler } from '../torch/grad_scaler';
import type { AdamW } from '../torch/optim';
import { cachedBackward } from './cached_gradients';
import { embedBatch, type Embeds } from './embed';

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
  /** that the loss is scaled by from now on; only with a scaler */
  loss_scale?: number;
}

const LOSSES = [
  ['loss', 'loss'],
  ['contrastive_loss', 'contrastive'],
  ['inmodal_loss', 'inmodal'],
  ['constraint_loss', 'constraint'],
] as const;

/**
 * One optimizer step on a batch. Nothing in it waits for the device.
 * @param weights of the losses, see {@link cleanClipLoss} and {@link unlearnLoss}
 * @param accumFreq compute the batch in so many parts, one after another, to the same gradients, see {@link cachedBackward}; default 1
 * @param scaler of the loss, for a model in float16; a step that overflows changes nothing but the scale
 * @returns reads the losses, once; this waits for the device
 */
export function trainStep(clip: Clip, optimizer: AdamW, batch: Batch, weights: LossWeights, accumFreq = 1, scaler?: GradScaler): () => StepLosses {
  const lossOf = (embeds: Embeds): UnlearnLoss => lossesOf(clip, embeds, batch.isBackdoor, weights);
  const backward = (loss: Tensor): void => (scaler?.scale(loss) ?? loss).backward();
  const { names, values } = torch.tidy(() => {
    const losses = accumFreq > 1 ? cachedBackward(clip, batch, accumFreq, lossOf, backward) : wholeBackward(clip, batch, lossOf, backward);
    if (scaler === undefined) {
      optimizer.step();
    } else {
      scaler.step(optimizer);
      scaler.update();
    }
    optimizer.zeroGrad();
    torch.noGrad(() => clip.logitScale.clamp_(0, MAX_LOGIT_SCALE));
    const given = LOSSES.flatMap(([name, key]) => (losses[key] === undefined ? [] : [{ name: name as keyof StepLosses, scalar: losses[key].detach() }]));
    if (scaler !== undefined) given.push({ name: 'loss_scale', scalar: scaler.currentScale() });
    return { names: given.map(({ name }) => name), values: torch.stack(given.map(({ scalar }) => scalar)) };
  });
  return () => {
    const numbers = values.data();
    values.dispose();
    return Object.fromEntries(names.map((name, i) => [name, numbers[i]])) as unknown as StepLosses;
  };
}

function wholeBackward(clip: Clip, batch: Batch, lossOf: (embeds: Embeds) => UnlearnLoss, backward: (loss: Tensor) => void): UnlearnLoss {
  const losses = lossOf(embedBatch(clip, batch, { start: 0, length: batch.rows.length }));
  backward(losses.loss);
  return losses;
}

function lossesOf({ logitScale }: Clip, embeds: Embeds, isBackdoor: boolean[], { unlearn, ...weights }: LossWeights): UnlearnLoss {
  const features = { ...embeds, logitScale, ...weights };
  return unlearn === undefined ? cleanClipLoss(features) : unlearnLoss({ ...features, ...unlearn, isBackdoor });
}
