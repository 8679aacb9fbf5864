import type { Clip } from '../clip/model';
import type { Batch } from '../data/batch';
import { cleanClipLoss, lossOverRanks, type UnlearnLoss, unlearnLoss } from '../losses';
import { embedBatch, type Embeds } from '../losses/embed_batch';
import { compatOf } from '../options/compat';
import type { LossOptions } from '../options/slices';
import { type Tensor, torch } from '../torch';
import { type GradScaler, stepWith } from '../torch/grad_scaler';
import type { AdamW } from '../torch/optim';
import { cachedBackward } from './cached_gradients';
import type { JoinedStep } from './parallel';
import { alone, type StepModel } from './step_model';

/** The largest logit_scale after a step, ln(100). Source: the reference. */
const MAX_LOGIT_SCALE = 4.6052;

/** The weights of the losses of a step. */
export interface LossWeights {
  clipWeight: number;
  inmodalWeight: number;
  /** unlearning of poisoned pairs, see {@link unlearnLoss}; default: off */
  unlearn?: { target: number; constraintWeight: number };
}

/** Returns the weights that the options give the losses. */
export function lossWeights(options: LossOptions): LossWeights {
  const { clipWeight, inmodalWeight, unlearn, unlearnTarget, constraintWeight } = options;
  const target = compatOf(options).negatesUnlearnTarget ? -(unlearnTarget ?? -1) : (unlearnTarget ?? 0);
  return { clipWeight, inmodalWeight, ...(unlearn && { unlearn: { target, constraintWeight } }) };
}

/** The losses of one step. A loss is absent when the batch has no pairs for it. */
export interface StepLosses {
  loss: number;
  contrastive_loss?: number;
  /** only with augmented views */
  inmodal_loss?: number;
  /** only when unlearning */
  constraint_loss?: number;
  /** factor on the loss from the next step on; only with a scaler */
  loss_scale?: number;
}

const LOSSES = [
  ['loss', 'loss'],
  ['contrastive_loss', 'contrastive'],
  ['inmodal_loss', 'inmodal'],
  ['constraint_loss', 'constraint'],
] as const;

/** Options of {@link trainStep}. */
export interface StepOptions {
  /**
   * number of parts in which the batch is computed, one after another, with the same gradients, see
   * {@link cachedBackward}; default 1
   */
  accumFreq?: number;
  /** what the ranks have agreed on, when several compute the step, each on its part of the batch; default: one rank */
  joined?: JoinedStep;
  /**
   * the scaler of the loss, for a model in float16. A step that overflows changes only the scale. All ranks see the
   * overflow, since it is in the mean of their gradients
   */
  scaler?: GradScaler;
}

/**
 * Does one optimizer step on a batch. It never waits for the device.
 * @param weights weights of the losses, see {@link cleanClipLoss} and {@link unlearnLoss}
 * @returns a function, to be called once, that reads the losses over all ranks; it waits for the device
 */
export function trainStep(
  clip: Clip,
  optimizer: AdamW,
  batch: Batch,
  weights: LossWeights,
  { accumFreq = 1, joined, scaler }: StepOptions = {},
): () => StepLosses {
  const model = joined?.model ?? alone(clip);
  const lossOf = (embeds: Embeds): UnlearnLoss => lossesOf(clip, embeds, batch.isBackdoor, weights, joined);
  const scale = (loss: Tensor): Tensor => scaler?.scale(loss) ?? loss;
  const { names, values } = torch.tidy(() => {
    const losses =
      accumFreq > 1
        ? cachedBackward(model, batch, accumFreq, lossOf, scale)
        : wholeBackward(model, batch, lossOf, scale);
    stepWith(optimizer, scaler);
    optimizer.zeroGrad();
    torch.noGrad(() => clip.logitScale.clamp_(0, MAX_LOGIT_SCALE));
    const given: { name: keyof StepLosses; scalar: Tensor }[] = LOSSES.flatMap(([name, key]) =>
      losses[key] === undefined ? [] : [{ name, scalar: losses[key].detach() }],
    );
    if (scaler !== undefined) given.push({ name: 'loss_scale', scalar: scaler.currentScale() });
    return { names: given.map(({ name }) => name), values: torch.stack(given.map(({ scalar }) => scalar)) };
  });
  return () => {
    const numbers = values.data();
    values.dispose();
    return Object.fromEntries(names.map((name, i) => [name, numbers[i]])) as unknown as StepLosses;
  };
}

function wholeBackward(
  model: StepModel,
  batch: Batch,
  lossOf: (embeds: Embeds) => UnlearnLoss,
  scale: (loss: Tensor) => Tensor,
): UnlearnLoss {
  const losses = lossOf(embedBatch(model, batch, { start: 0, length: batch.rows.length }));
  model.backward(scale(losses.loss));
  return losses;
}

function lossesOf(
  { logitScale }: Clip,
  embeds: Embeds,
  isBackdoor: boolean[],
  { unlearn, ...weights }: LossWeights,
  joined?: JoinedStep,
): UnlearnLoss {
  const features = { ...embeds, logitScale, ...weights };
  const marked = unlearn && { ...unlearn, isBackdoor: joined?.isBackdoor ?? isBackdoor };
  if (joined !== undefined) return lossOverRanks({ ...features, ...marked }, joined);
  return marked === undefined ? cleanClipLoss(features) : unlearnLoss({ ...features, ...marked });
}
