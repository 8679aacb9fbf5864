import type { Agreed, LoopBatch, LoopSteps } from '../run/loop_parts';
import { fromAllRanks, sumOverRanks } from '../run/ranks';
import { type Tensor, torch } from '../torch';
import { type GradScaler, stepWith } from '../torch/grad_scaler';
import { AdamW } from '../torch/optim';

/** A batch of B labelled inputs. */
export interface LabelledBatch extends LoopBatch {
  /** the inputs, [B, …] */
  inputs: Tensor;
  /** class indices, [B] */
  labels: ArrayLike<number>;
}

/** The loss of a step: mean cross entropy of the batch before the step. */
export interface ClassifierLoss {
  loss: number;
}

/** The parts that compute a classifier and train it. */
export interface TrainedClassifier {
  /** computes the scores of a batch's inputs, float32 [B, classes] */
  logits: (inputs: Tensor) => Tensor;
  /** with several ranks, which compute a batch in parts: runs backward, and averages their gradients */
  meanBackward?: (loss: Tensor) => void;
  optimizer: AdamW;
  /** scaler of the loss, for logits in float16 */
  scaler?: GradScaler;
}

/**
 * Makes AdamW as the classifiers of the reference use it: weight decay, none for names with `bias`, and the other
 * defaults of torch.
 * @param named parameters in Python's order
 * @param weightDecay default 0.01
 */
export function classifierOptimizer(named: [name: string, parameter: Tensor][], weightDecay = 0.01): AdamW {
  const group = (biases: boolean): Tensor[] =>
    named.filter(([name]) => name.includes('bias') === biases).map(([, parameter]) => parameter);
  return new AdamW(
    [
      { parameters: group(true), weightDecay: 0 },
      { parameters: group(false), weightDecay },
    ],
    { lr: 0 },
  );
}

/** Returns how a classifier is trained by cross entropy. With several ranks each computes its part of a batch. */
export function classifierSteps({
  logits,
  meanBackward,
  optimizer,
  scaler,
}: TrainedClassifier): Pick<LoopSteps<LabelledBatch, Agreed, ClassifierLoss>, 'optimizer' | 'agree' | 'step'> {
  const backward = meanBackward ?? ((loss: Tensor): void => loss.backward());
  /**
   * Computes one step, and returns its loss.
   * @param share weight of the loss
   */
  const step = ({ inputs, labels }: LabelledBatch, share: number): Tensor =>
    torch.tidy(() => {
      const scores = logits(inputs); // [B, classes]
      const target = torch.tensor(Int32Array.from(labels), { dtype: 'int64', device: scores.device });
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
      // with this weight the mean over ranks is the mean over the batch
      const share = (batch.rows.length * counts.length) / all;
      const { own } = await sumOverRanks({ own: read(step(batch, share)) });
      return () => ({ loss: own / counts.length });
    },
  };
}
