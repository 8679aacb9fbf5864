import type { Tensor } from '../torch';
import type { LoopState } from './state';
import type { StepReporter } from './step_reporter';

/** What the loop needs to know of a batch. */
export interface LoopBatch {
  /** place in the epoch, from 0 */
  index: number;
  /** the rows of the data set in it: this rank's part of the batch */
  rows: ArrayLike<number>;
  /** Frees the tensors. */
  dispose(): void;
}

/** What the ranks tell one another of a batch before they compute it together. */
export interface Agreed {
  /** some rank was asked to stop */
  stop: boolean;
  /** rows that each rank has of the batch, by rank */
  counts: readonly number[];
}

/** Which batch comes next. */
export interface NextBatch {
  /** epochs that are finished */
  epoch: number;
  /** of each epoch at present */
  batches: number;
  /** place in the epoch, from 0 */
  index: number;
  /** steps of the run before it */
  step: number;
}

/** Where a run ends: the last epoch or the last step, whichever comes first. */
export interface LoopEnd {
  epoch: number;
  step: number;
}

/** The batches of an epoch, and how a step on one of them is computed. */
export interface LoopSteps<B extends LoopBatch, A extends Agreed, L extends { loss: number }> {
  /** of an epoch at present */
  batchesPerEpoch: () => number;
  /** the batches of an epoch, which counts from 1; the signal ends the loading */
  batches: (epoch: number, startBatch: number, signal?: AbortSignal) => AsyncIterable<B> | Iterable<B>;
  /** of several ranks: tells the others of this one's part of a batch and of its wish to stop, and hears of theirs */
  agree?: (batch: B, stop: boolean) => Promise<A>;
  /** a batch of which some rank has fewer rows is left out; default 1 */
  leastRows?: number;
  /** told of a batch, from 1, that is left out */
  onSkip?: (batch: number) => void;
  optimizer: { lr: number };
  learningRate: (next: NextBatch) => number;
  /** computes a step; what it gives reads the losses, which waits for the device */
  step: (batch: B, agreed: A | undefined) => (() => L) | Promise<() => L>;
  /** read the losses after the next step has been given to the GPU, which need not wait for that; default false */
  late?: boolean;
  /** a sentence on a loss that is no number; `at` counts its epoch and its step from 1 */
  diverged: (loss: number, at: { epoch: number; step: number }) => string;
}

/** What one kind of training differs from another in; `trainLoop` does the rest. */
export interface LoopParts<B extends LoopBatch, A extends Agreed, L extends { loss: number }> extends LoopSteps<
  B,
  A,
  L
> {
  /** how the training is called when it is stopped: '<name> was stopped at step 3.' */
  name: string;
  start: LoopState;
  end: LoopEnd;
  /** the run goes on with its own checkpoint; default false */
  resumed?: boolean;
  /** the checkpoint of `start` needs no writing; default false */
  saved?: boolean;
  reporter: Pick<StepReporter<L>, 'startEpoch' | 'dataReady' | 'stepDone'>;
  warn?: (warning: string) => void;
  /** writes the checkpoint of a state, on the rank that writes; without it nothing is saved */
  save?: (state: LoopState) => void;
  /** what `save` writes and training changes: it is not saved once it holds NaN or infinity */
  weights?: () => Tensor[];
  /** saves also every so many steps; 0, the default, for never */
  saveEverySteps?: number;
  signal?: AbortSignal;
  /** called before the first step */
  onStart?: (state: LoopState) => Promise<void>;
  /** called before each epoch, which counts from 1 */
  onEpochStart?: (epoch: number) => void;
  /** called after each whole epoch; saves it by `save` */
  onEpoch?: (state: LoopState, save: () => void) => void | Promise<void>;
  /** called after the last step, when it is saved */
  onEnd?: (state: LoopState) => Promise<void>;
}
