import type { Tensor } from '../torch';
import type { BackgroundWrites } from './background_writes';
import type { LoopState } from './state';
import type { StepReporter } from './step_reporter';

/** What the loop needs from a batch. */
export interface LoopBatch {
  /** index of the batch in the epoch, from 0 */
  index: number;
  /** indices of its rows in the data set: this rank's part of the batch */
  rows: ArrayLike<number>;
  /** Frees the tensors. */
  dispose(): void;
}

/** What the ranks tell one another about a batch before they compute it together. */
export interface Agreed {
  /** whether some rank was asked to stop */
  stop: boolean;
  /** number of rows of the batch that each rank has, by rank */
  counts: readonly number[];
}

/** The position of the next batch. */
export interface NextBatch {
  /** epochs that are finished */
  epoch: number;
  /** batches per epoch at present */
  batches: number;
  /** index of the batch in the epoch, from 0 */
  index: number;
  /** steps of the run before this batch */
  step: number;
}

/** The end of a run: the last epoch or the last step, whichever comes first. */
export interface LoopEnd {
  epoch: number;
  step: number;
}

/** The batches of an epoch, and how a step on one of them is computed. */
export interface LoopSteps<B extends LoopBatch, A extends Agreed, L extends { loss: number }> {
  /** returns the batches per epoch at present */
  batchesPerEpoch: () => number;
  /** loads the batches of an epoch, which counts from 1; the signal ends the loading */
  batches: (epoch: number, startBatch: number, signal?: AbortSignal) => AsyncIterable<B> | Iterable<B>;
  /** with several ranks: exchanges the parts of a batch that each rank has, and whether it was asked to stop */
  agree?: (batch: B, stop: boolean) => Promise<A>;
  /** a batch is skipped when some rank has fewer rows of it; default 1 */
  leastRows?: number;
  /** called with the number, from 1, of each batch that is skipped */
  onSkip?: (batch: number) => void;
  optimizer: { lr: number };
  learningRate: (next: NextBatch) => number;
  /** computes a step, and returns a function that reads the losses, which waits for the device */
  step: (batch: B, agreed: A | undefined) => (() => L) | Promise<() => L>;
  /** whether to read the losses only after the next step was queued, so that the GPU need not wait; default false */
  late?: boolean;
  /** makes the error sentence for a loss that is not finite; `at` counts epoch and step from 1 */
  diverged: (loss: number, at: { epoch: number; step: number }) => string;
}

/** The parts in which one kind of training differs from another. `trainLoop` does the rest. */
export interface LoopParts<B extends LoopBatch, A extends Agreed, L extends { loss: number }> extends LoopSteps<
  B,
  A,
  L
> {
  /** the name of the training in messages: '<name> was stopped at step 3.' */
  name: string;
  start: LoopState;
  end: LoopEnd;
  /** whether the run resumes from its own checkpoint; default false */
  resumed?: boolean;
  /** whether the checkpoint of `start` is already written; default false */
  saved?: boolean;
  reporter: Pick<StepReporter<L>, 'startEpoch' | 'dataReady' | 'stepDone'> & Partial<Pick<StepReporter<L>, 'skip'>>;
  warn?: (warning: string) => void;
  /** begins to write the checkpoint of a state, on the rank that writes; without it nothing is saved */
  save?: (state: LoopState) => Promise<void>;
  /** the writes that `save` and the hooks start */
  writes?: BackgroundWrites;
  /** the tensors that training changes and `save` writes; they are not saved once they hold NaN or infinity */
  weights?: () => Tensor[];
  /** steps between extra saves; default 0: none */
  saveEverySteps?: number;
  signal?: AbortSignal;
  /** called before the first step */
  onStart?: (state: LoopState) => Promise<void>;
  /** called before each epoch, which counts from 1 */
  onEpochStart?: (epoch: number) => void;
  /** measures the model within epochs: after a step that is not the last of its epoch or of the run, if that is due */
  measuring?: { isDue: (state: LoopState) => boolean; measure: (state: LoopState) => Promise<void> };
  /** called after each whole epoch; saves it by `save` */
  onEpoch?: (state: LoopState, save: () => Promise<void>) => void | Promise<void>;
  /** called after the last step has been saved */
  onEnd?: (state: LoopState) => Promise<void>;
}
