// What each room takes of the options of training, so that a reader sees what it depends on.
import type { TrainOptions } from './train';

type Slice<Name extends keyof TrainOptions> = Pick<TrainOptions, Name>;

/** How pairs become batches. */
export type BatchOptions = Slice<'batchSize' | 'numWorkers' | 'strict' | 'compat'>;

/** The weights of the losses, and the target of unlearning. */
export type LossOptions = Slice<
  'clipWeight' | 'inmodalWeight' | 'unlearn' | 'unlearnTarget' | 'constraintWeight' | 'compat'
>;

/** AdamW's hyperparameters. */
export type OptimizerOptions = Slice<'lr' | 'beta1' | 'beta2' | 'eps' | 'weightDecay'>;

/** What several ranks need to train one model. */
export type ParallelOptions = Slice<
  'syncBatchnorm' | 'bucketCapMb' | 'unlearn' | 'batchSize' | 'gatherWithGrad' | 'localLoss'
>;

/** Where labelled sets lie. */
export type LabelledSetOptions = Slice<'evalTestDataDir' | 'evalTrainDataDir' | 'evalDataType'>;

/** The attack that is measured. */
export type AttackOptions = Slice<
  'label' | 'asr' | 'seed' | 'triggerSeed' | 'patchType' | 'patchLocation' | 'patchSize' | 'triggerMode' | 'compat'
>;

/** A classifier's training set, which may be poisoned. */
export type PoisonedSetOptions = LabelledSetOptions & AttackOptions & Slice<'backdoorSufi' | 'numBackdoor'>;
