/** The public API of cleanclip. It loads libtorch only when that is first needed. */

// Jobs: what the commands do
export { embed, linearProbe, retrieval, zeroshot } from './jobs/embeddings';
export type * from './options/inputs.gen';
export type { EmbedResult } from './embeddings/embed';
export type { RetrievalResult } from './embeddings/retrieval';
export { augmentImage, augmentText, convert, download, evaluate, finetune, poison, prepare, train } from './jobs';
export type {
  AugmentResult,
  ConvertResult,
  DownloadResult,
  JobHooks,
  PoisonResult,
  PrepareResult,
  ProgressEvent,
  TrainResult,
} from './jobs';
export { plot, report } from './jobs/pictures';
export type { PlotResult, ReportResult } from './jobs/pictures';
export type { ReplacedRow } from './backdoor/poison';

// Retrieval
export { retrievalMetrics, type RetrievalFeatures, type RetrievalMetrics } from './evaluation/retrieval_metrics';

// Models
export { Clip, loadClip, type ClipOptions, type LoadClipOptions, type Precision } from './clip/model';
export type { ClipConfig, CompleteConfig } from './clip/config';
export type { Activation } from './clip/resolve';
export type { StateDict } from './clip/state_dict';

// Images and captions
export { normalize, preprocess, resizeCrop, type PreprocessOptions } from './images/preprocess';
export type { Geometry, PreprocessConfig, Statistics } from './images/preprocess_config';
export type { ImageLimits } from './images/limits';
export { cleanText } from './text/cleaning';
export { tokenize } from './text/tokenizer';
export { autoAugment, autoAugmentOp, type OperationName } from './augment/autoaugment';
export { eda } from './augment/eda';

// Backdoors
export { applyTrigger, makeTrigger, type Trigger, type TriggerOptions } from './backdoor/triggers';
export type { PatchLocation, PatchType, TriggerMode } from './backdoor/names';

// Data
export { PairLoader } from './data/loader';
export type { BadImage, Batch, EpochOptions, PairLoaderOptions } from './data/batch';
export type { BatchTensors } from './data/batch_tensors';
export type { Shard } from './data/sampler';
export { readPairs, type BadRows, type PairColumns, type PairTable, type SharedPairs, type View } from './data/pairs';
export type { BadRow, Place } from './data/csv_rows';
export type { SharedStrings } from './data/string_file';
export { readLabelledSet, type LabelledSet, type LabelledSetOptions } from './data/labelled';
export type { Classes } from './data/classes';
export type { EvalDataType } from './data/data_types';
export type { Split } from './data/sets';
export type { LabelledImages } from './data/sets/reading';
export { Random } from './random';

// Losses and optimization
export { cleanClipLoss, contrastiveLoss, lossOverRanks, unlearnLoss } from './losses';
export type { CleanClipInput, CleanClipLoss, OverRanks, RankInput, Rows, UnlearnInput, UnlearnLoss } from './losses';
export { AdamW, type AdamWOptions, type OptimizerState, type ParameterGroup, type Scaling } from './torch/optim';
export { cosineSchedule } from './torch/schedule';

// libtorch
export { torch, Tensor, type Torch, type DType, type Nested, type TypedArray } from './torch';
export type { Generator, OperatorProfile, RandomOptions, TensorOptions } from './torch';
export type { Complex, Floats, Ints, Layout, MemoryFormat, Scalar } from './torch/operators.gen';
export type { GradScaler, GradScalerOptions, GradScalerState } from './torch/grad_scaler';
export type { DeviceProperties, Event, Gpu, Stream } from './torch/cuda';
export type {
  Backend,
  DistributedDataParallel,
  FileStore,
  ParallelModule,
  ParallelOptions,
  ProcessGroupOptions,
  ReduceOp,
  Store,
  TCPStore,
  TCPStoreOptions,
} from './torch/distributed';
export { PyFloat, PyObject, type LoadOptions, type SaveOptions, type Unread } from './torch/serialization';

export { CleanclipError, type ErrorCode } from './errors';
