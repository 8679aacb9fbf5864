// The training options that each folder of src/ uses, so that a reader sees what it depends on.
import type { TrainOptions } from './train';

type Slice<Name extends keyof TrainOptions> = Pick<TrainOptions, Name>;

/** Options that decide how pairs become batches. */
export type BatchOptions = Slice<'batchSize' | 'numWorkers' | 'strict' | 'compat'>;

/** Options that decide how a csv of pairs is read. */
export type PairTableOptions = Slice<'imageKey' | 'captionKey' | 'delimiter' | 'columns'>;

/** Options of the progressive removal of the most similar pairs. */
export type RemovalOptions = BatchOptions &
  PairTableOptions &
  Slice<'trainData' | 'name' | 'progressive' | 'progressiveEpochs' | 'removeFraction'>;

/** Options that decide how the pairs of a training are loaded, and which are removed. */
export type TrainingPairOptions = RemovalOptions &
  Slice<'seed' | 'inmodal' | 'augmentOn' | 'imageCache' | 'maxBadRows'>;

/** Options that decide where a run starts. */
export type InitialOptions = Slice<'checkpoint' | 'checkpointFinetune' | 'pretrained' | 'modelName' | 'activation'>;

/** Options that decide where a run ends. */
export type EndOptions = Slice<'epochs' | 'maxSteps' | 'progressive' | 'stopEpoch'>;

/** Weights of the losses, and the target of unlearning. */
export type LossOptions = Slice<
  'clipWeight' | 'inmodalWeight' | 'unlearn' | 'unlearnTarget' | 'constraintWeight' | 'compat'
>;

/** Hyperparameters of AdamW. */
export type OptimizerOptions = Slice<'lr' | 'beta1' | 'beta2' | 'eps' | 'weightDecay'>;

/** Options with which several ranks train one model. */
export type ParallelOptions = Slice<
  'syncBatchnorm' | 'bucketCapMb' | 'unlearn' | 'batchSize' | 'gatherWithGrad' | 'localLoss'
>;

/** Folders and type of labelled sets. */
export type LabelledSetOptions = Slice<'evalTestDataDir' | 'evalTrainDataDir' | 'evalDataType'>;

/** Options of the attack that is measured. */
export type AttackOptions = Slice<
  'label' | 'asr' | 'seed' | 'triggerSeed' | 'patchType' | 'patchLocation' | 'patchSize' | 'triggerMode' | 'compat'
>;

/** Options of the training set of a classifier, which may be poisoned. */
export type PoisonedSetOptions = LabelledSetOptions & AttackOptions & Slice<'backdoorSufi' | 'numBackdoor'>;

/** What is measured, and how. */
export type EvaluationOptions = BatchOptions &
  PairTableOptions &
  PoisonedSetOptions &
  Slice<'logs' | 'name' | 'validationData' | 'addBackdoor' | 'savePredictions'> &
  Slice<'finetune' | 'linearProbe' | 'checkpointFinetune' | 'linearProbeBatchSize' | 'linearProbeNumEpochs'>;
