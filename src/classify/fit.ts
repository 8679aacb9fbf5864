import { setImmediate as yieldToEvents } from 'node:timers/promises';

import { CleanclipError, dataError } from '../errors';
import type { Position } from '../run/position';
import { fromAllRanks, sumOverRanks } from '../run/ranks';
import { type Tensor, torch } from '../torch';
import { type GradScaler, stepWith } from '../torch/grad_scaler';
import { AdamW } from '../torch/optim';

/** Labelled inputs, B of them. */
export interface LabelledBatch {
  /** place in the epoch, from 0 */
  index: number;
  /** [B, …] */
  inputs: Tensor;
  /** class numbers, [B] */
  labels: ArrayLike<number>;
  /** Frees the inputs. */
  dispose(): void;
}

/** What a step has done. */
export interface StepReport extends Position {
  /** mean cross entropy of the batch before the step */
  loss: number;
  lr: number;
  /** images of the batch */
  images: number;
}

/** How a classifier is trained. */
export interface Fit {
  /** float32 [B, classes] of a batch's inputs */
  logits: (inputs: Tensor) => Tensor;
  /** of several ranks that compute a batch in parts: leaves the mean of their gradients */
  meanBackward?: (loss: Tensor) => void;
  optimizer: AdamW;
  /** of the loss, for logits in float16 */
  scaler?: GradScaler;
  /** step from 0 → learning rate */
  learningRate: (step: number) => number;
  /** batches an epoch */
  batches: number;
  /** optimizer steps of the whole run */
  totalSteps: number;
  /** default: the beginning */
  start?: Position;
  /** the batches of an epoch, which counts from 1 */
  epoch: (epoch: number, startBatch: number) => AsyncIterable<LabelledBatch> | Iterable<LabelledBatch>;
  onStep: (report: StepReport) => void;
  signal?: AbortSignal;
}

/**
 * AdamW as the reference's classifiers use it: weight decay 0.01, none for names with `bias`, torch's other defaults.
 * @param named parameters in Python's order
 */
export function classifierOptimizer(named: [name: string, parameter: Tensor][]): AdamW {
  const group = (biases: boolean): Tensor[] =>
    named.filter(([name]) => name.includes('bias') === biases).map(([, parameter]) => parameter);
  return new AdamW(
    [
      { parameters: group(true), weightDecay: 0 },
      { parameters: group(false), weightDecay: 0.01 },
    ],
    { lr: 0 },
  );
}

/**
 * Trains a classifier by cross entropy from `start` to the last step; between steps it lets events through and heeds
 * the signal. Over several ranks each computes its part of a batch, and all stop when one is asked to.
 * @throws CleanclipError `ERR_DATA` when the loss is no number; `ERR_ABORTED` by the signal
 */
export async function fit({
  logits,
  meanBackward,
  optimizer,
  scaler,
  learningRate,
  batches,
  totalSteps,
  start,
  epoch,
  onStep,
  signal,
}: Fit): Promise<void> {
  let { epoch: done, batch, step } = start ?? { epoch: 0, batch: 0, step: 0 };
  while (step < totalSteps) {
    for await (const { index, inputs, labels, dispose } of epoch(done + 1, batch)) {
      optimizer.lr = learningRate(done * batches + index);
      const part = { images: labels.length, stop: signal?.aborted === true };
      const parts = meanBackward === undefined ? [part] : await fromAllRanks(part);
      if (parts.some(({ stop }) => stop)) {
        dispose();
        throw stopped(step);
      }
      const images = parts.reduce((sum, one) => sum + one.images, 0);
      if (parts.some((one) => one.images === 0)) {
        dispose(); // a rank cannot read any image of its part
        continue;
      }
      const share = (labels.length * parts.length) / images; // so that the mean over ranks is the mean over the batch
      const own = torch.tidy(() => {
        const scores = logits(inputs); // [B, classes]
        const target = torch.tensor(BigInt64Array.from(Array.from(labels), BigInt)).to({ device: scores.device });
        const mean = torch.cross_entropy_loss(scores, target).mul(share);
        const scaled = scaler?.scale(mean) ?? mean;
        if (meanBackward === undefined) scaled.backward();
        else meanBackward(scaled);
        stepWith(optimizer, scaler);
        optimizer.zeroGrad();
        return mean.item();
      });
      dispose();
      const loss = meanBackward === undefined ? own : (await sumOverRanks({ own })).own / parts.length;
      if (!Number.isFinite(loss)) {
        throw dataError(
          `The loss of the classifier became ${loss} at step ${step + 1}; lower --lr or raise --num_warmup_steps.`,
        );
      }
      batch = index + 1;
      step = done * batches + batch;
      onStep({ epoch: done, batch, step, loss, lr: optimizer.lr, images });
      if (step >= totalSteps) return;
      await yieldToEvents();
      if (meanBackward === undefined && signal?.aborted) throw stopped(step);
    }
    done++;
    batch = 0;
    step = done * batches;
  }
}

const stopped = (step: number): CleanclipError =>
  new CleanclipError(`Training of the classifier was stopped at step ${step}.`, 'ERR_ABORTED');
