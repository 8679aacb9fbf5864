import type { Agreed, LoopBatch, LoopSteps } from '../run/loop_parts';
import { fromAllRanks, sumOverRanks } from '../run/ranks';
import { type Tensor, torch } from '../torch';
import { type GradScaler, stepWith } from '../torch/grad_scaler';
import { AdamW } from '../torch/optim';

/** Labelled inputs, B of them. */
export interface LabelledBatch extends LoopBatch {
  /** [B, …] */
  inputs: Tensor;
  /** class numbers, [B] */
  labels: ArrayLike<number>;
}

/** The loss of a step: mean cross entropy of the batch before the step. */
export interface ClassifierLoss {
  loss: number;
}

/** What computes a classifier and trains it. */
export interface TrainedClassifier {
  /** float32 [B, classes] of a batch's inputs */
  logits: (inputs: Tensor) => Tensor;
  /** of several ranks that compute a batch in parts: leaves the mean of their gradients */
  meanBackward?: (loss: Tensor) => void;
  optimizer: AdamW;
  /** of the loss, for logits in float16 */
  scaler?: GradScaler;
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

/** How a classifier is trained by cross entropy. Over several ranks each computes its part of a batch. */
export function classifierSteps({
  logits,
  meanBackward,
  optimizer,
  scaler,
}: TrainedClassifier): Pick<LoopSteps<LabelledBatch, Agreed, ClassifierLoss>, 'optimizer' | 'agree' | 'step'> {
  const backward = meanBackward ?? ((loss: Tensor): void => loss.backward());
  /** @param share weight of the loss */
  const step = ({ inputs, labels }: LabelledBatch, share: number): Tensor =>
    torch.tidy(() => {
      const scores = logits(inputs); // [B, classes]
      const target = torch.tensor(BigInt64Array.from(Array.from(labels), BigInt)).to({ device: scores.device });
      const mean = torch.cross_entropy_loss(scores, target).mul(share);
      backward(scaler?.scale(mean) ?? mean);
      stepWith(optimizer, scaler);
      optimizer.zeroGrad();
      return mean.detach();
    });
  const read = (loss: Tensor): number => {
    const number = loss.item();
    loss.dispose();
    return number;
  };
  if (meanBackward === undefined) {
    return {
      optimizer,
      step(batch) {
        const loss = step(batch, 1);
        return () => ({ loss: read(loss) });
      },
    };
  }
  return {
    optimizer,
    async agree({ rows }, stop) {
      const parts = await fromAllRanks({ rows: rows.length, stop });
      return { counts: parts.map((part) => part.rows), stop: parts.some((part) => part.stop) };
    },
    async step(batch, agreed) {
      const { counts } = agreed!;
      const all = counts.reduce((sum, count) => sum + count);
      const share = (batch.rows.length * counts.length) / all; // so that the mean over ranks is that over the batch
      const { own } = await sumOverRanks({ own: read(step(batch, share)) });
      return () => ({ loss: own / counts.length });
    },
  };
}
