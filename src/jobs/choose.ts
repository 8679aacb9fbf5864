import type { TrainOptions } from '../options/train';

/** The jobs of `cleanclip-train`. */
export type TrainJob = 'train' | 'supervised' | 'evaluate';

/**
 * Chooses the job that the flags of `cleanclip-train` ask for. With `train_data` it is training, with `finetune`
 * supervised finetuning. Otherwise it is evaluation: zero-shot, by a linear probe, or of the classifier of
 * `checkpoint_finetune`.
 */
export function chooseJob({ trainData, finetune, checkpointFinetune }: TrainOptions): TrainJob {
  if (trainData !== undefined) return 'train';
  return finetune && checkpointFinetune === undefined ? 'supervised' : 'evaluate';
}
