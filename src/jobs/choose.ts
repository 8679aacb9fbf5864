import { optionError } from '../errors';
import type { TrainOptions } from '../options/train';

/** The jobs of `cleanclip-train`. */
export type TrainJob = 'train' | 'supervised' | 'evaluate';

/**
 * The job that the flags of `cleanclip-train` ask for: training with `train_data`, supervised finetuning with
 * `finetune`, else evaluation: zero-shot, by a linear probe, or of the classifier of `checkpoint_finetune`.
 * @throws CleanclipError `ERR_OPTION` when they contradict one another, or a flag is missing that another one needs
 */
export function chooseJob(options: TrainOptions): TrainJob {
  const { trainData, validationData, evalTrainDataDir, evalTestDataDir, finetune, linearProbe, checkpointFinetune } =
    options;
  const refuse = (wrong: boolean, message: string): void => {
    if (wrong) throw optionError(message);
  };
  const classifier = finetune ? '--finetune' : '--linear_probe';
  const trains = linearProbe || (finetune && checkpointFinetune === undefined);
  refuse(
    finetune && linearProbe,
    '--finetune trains the image encoder, which --linear_probe keeps frozen; give one of them.',
  );
  refuse(
    finetune && trainData !== undefined,
    '--finetune trains on the labelled images of --eval_train_data_dir; leave out --train_data or --finetune.',
  );
  refuse(
    trains && evalTrainDataDir === undefined,
    `${classifier} needs --eval_train_data_dir, the folder of its labelled training images.`,
  );
  refuse(
    (finetune || linearProbe) && evalTestDataDir === undefined,
    `${classifier} needs --eval_test_data_dir, the folder of the labelled images to measure on.`,
  );
  refuse(
    options.evalDataType !== undefined && evalTestDataDir === undefined,
    '--eval_data_type says what --eval_test_data_dir holds; name that folder, or leave it out.',
  );
  for (const [flag, given] of [
    ['eval_train_data_dir', evalTrainDataDir !== undefined],
    ['backdoor_sufi', options.backdoorSufi],
  ] as const) {
    refuse(
      given && !finetune && !linearProbe,
      `--${flag} is for --finetune or --linear_probe; add one of them, or leave it out.`,
    );
  }
  refuse(
    options.numBackdoor !== undefined && !options.backdoorSufi,
    '--num_backdoor is how many images --backdoor_sufi poisons; add that flag, or leave it out.',
  );
  for (const flag of ['asr', 'addBackdoor'] as const) {
    const name = flag === 'asr' ? 'asr' : 'add_backdoor';
    refuse(
      options[flag] && evalTestDataDir === undefined,
      `--${name} measures on labelled images; name their folder with --eval_test_data_dir.`,
    );
  }
  if (trainData !== undefined) return 'train';
  refuse(
    evalTestDataDir === undefined && validationData === undefined,
    'There is nothing to do; give --train_data to train, or --eval_test_data_dir or --validation_data to evaluate.',
  );
  return finetune && checkpointFinetune === undefined ? 'supervised' : 'evaluate';
}
