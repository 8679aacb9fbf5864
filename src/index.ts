/** The public API of cleanclip. Nothing here loads libtorch until it is first needed. */
export { autoAugment, autoAugmentOp } from './augment/autoaugment';
export { eda } from './augment/eda';
export { applyTrigger, makeTrigger, type Trigger, type TriggerOptions } from './backdoor/triggers';
export { Clip, loadClip } from './clip/model';
export { normalize, preprocess, resizeCrop } from './images/preprocess';
export { cleanText } from './text/cleaning';
export { tokenize } from './text/tokenizer';
export { readLabelledSet } from './data/labelled';
export { PairLoader } from './data/loader';
export { readPairs } from './data/pairs';
export { CleanclipError, type ErrorCode } from './errors';
export { convert, evaluate, finetune, poison, train } from './jobs';
export type { ConvertResult, JobHooks, PoisonResult, ProgressEvent, TrainResult } from './jobs';
export { cleanClipLoss, contrastiveLoss, lossOverRanks, unlearnLoss } from './losses';
export { torch, Tensor, type DType } from './torch';
export { AdamW } from './torch/optim';
export { PyObject, type LoadOptions, type Unread } from './torch/serialization';
export { cosineSchedule } from './torch/schedule';
