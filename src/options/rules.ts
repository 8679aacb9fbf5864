// All rules between two flags of `cleanclip-train`. They are checked before a thread, a rank or a file is started. The
// tables check single flags.
import { optionError } from '../errors';
import { refuse } from './refuse';
import { checkMeasuringRules, checkReportRules } from './report_rules';
import type { TrainOptions } from './train';

/**
 * Checks the rules of `cleanclip-train`, except those of ranks.
 * @throws CleanclipError `ERR_OPTION` when flags contradict one another, or a flag lacks another that it needs
 */
export function checkTrainRules(options: TrainOptions): void {
  checkClassifierRules(options);
  checkEvaluationRules(options);
  checkInitialRules(options);
  checkMeasuringRules(options);
  checkReportRules(options);
  if (options.trainData !== undefined) checkPairRules(options);
  else
    refuse(options.augmentOn === 'device', '--augment_on device is for --train_data; add that flag, or leave it out.');
}

/** Tells whether the options train a classifier on labelled images: a linear probe, or a supervised finetuning. */
export const trainsClassifier = ({
  finetune,
  linearProbe,
  checkpointFinetune,
}: Pick<TrainOptions, 'finetune' | 'linearProbe' | 'checkpointFinetune'>): boolean =>
  linearProbe || (finetune && checkpointFinetune === undefined);

/** Checks the rules of the linear probe and of supervised finetuning. */
function checkClassifierRules(options: TrainOptions): void {
  const { trainData, evalTrainDataDir, evalTestDataDir, finetune, linearProbe } = options;
  const classifier = finetune ? '--finetune' : '--linear_probe';
  refuse(
    finetune && linearProbe,
    '--finetune trains the image encoder, which --linear_probe keeps frozen; give one of them.',
  );
  refuse(
    finetune && trainData !== undefined,
    '--finetune trains on the labelled images of --eval_train_data_dir; leave out --train_data or --finetune.',
  );
  refuse(
    trainsClassifier(options) && evalTrainDataDir === undefined,
    `${classifier} needs --eval_train_data_dir, the folder of its labelled training images.`,
  );
  refuse(
    (finetune || linearProbe) && evalTestDataDir === undefined,
    `${classifier} needs --eval_test_data_dir, the folder of the labelled images to measure on.`,
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
}

/** Checks the rules of evaluation. */
function checkEvaluationRules(options: TrainOptions): void {
  const { trainData, validationData, evalTestDataDir } = options;
  refuse(
    options.evalDataType !== undefined && evalTestDataDir === undefined,
    '--eval_data_type says what --eval_test_data_dir holds; name that folder, or leave it out.',
  );
  checkSetRules(options);
  for (const flag of ['asr', 'addBackdoor'] as const) {
    const name = flag === 'asr' ? 'asr' : 'add_backdoor';
    refuse(
      options[flag] && evalTestDataDir === undefined && options.eval === undefined,
      `--${name} measures on labelled images; name their folder with --eval_test_data_dir.`,
    );
  }
  refuse(
    [trainData, evalTestDataDir, validationData, options.eval].every((given) => given === undefined),
    'There is nothing to do; give --train_data to train, or --eval_test_data_dir or --validation_data to evaluate.',
  );
}

/** Checks the rules of `--eval`, which measures on several labelled sets. */
function checkSetRules(options: TrainOptions): void {
  const { eval: sets, trainData, evalTestDataDir, finetune, linearProbe, checkpointFinetune } = options;
  refuse(
    options.savePredictions > 0 && evalTestDataDir === undefined,
    '--save_predictions needs --eval_test_data_dir, the folder of the labelled set whose images it stores.',
  );
  if (sets === undefined) return;
  refuse(
    trainData !== undefined || finetune || linearProbe || checkpointFinetune !== undefined,
    '--eval measures a CLIP zero-shot on several sets; leave it out to train, or for a classifier.',
  );
  refuse(
    evalTestDataDir !== undefined,
    '--eval and --eval_test_data_dir both name labelled sets; give all of them with --eval.',
  );
  const names = sets.map((set) => set.slice(0, set.indexOf('=')));
  const twice = names.find((name, i) => names.indexOf(name) < i);
  refuse(twice !== undefined, `--eval must name each set once, but names ${twice} twice.`);
}

/** Checks the rules of what a job starts from. */
function checkInitialRules({ checkpoint, pretrained }: TrainOptions): void {
  refuse(
    pretrained && checkpoint !== undefined,
    "--pretrained starts from OpenAI's weights and --checkpoint from those of a file; give one of them.",
  );
}

/** Checks the rules of training on pairs. */
function checkPairRules(options: TrainOptions): void {
  const { completeFinetune, checkpoint, pretrained, progressive, progressiveEpochs } = options;
  const { localLoss, gatherWithGrad, unlearn } = options;
  refuse(
    completeFinetune && checkpoint === undefined && !pretrained,
    '--complete_finetune starts from a trained model; give it with --checkpoint or --pretrained.',
  );
  refuse(
    progressive !== (progressiveEpochs !== undefined),
    '--progressive and --progressive_epochs go together: the removal, and the epochs after which it is done.',
  );
  checkAugmentedColumns(options);
  refuse(
    localLoss && !gatherWithGrad,
    '--local_loss needs --gather_with_grad: without the gradients of the other ranks it would leave out half ' +
      'of its own.',
  );
  refuse(
    localLoss && unlearn,
    '--local_loss does not go with --unlearn, whose pairs are not spread evenly over the ranks; leave it out.',
  );
}

/** Checks the rules of `--augmented_columns`. */
function checkAugmentedColumns({ augmentedColumns, inmodal, augmentOn, progressive }: TrainOptions): void {
  refuse(
    augmentedColumns && !inmodal,
    '--augmented_columns names the views of --inmodal; add that flag, or leave it out.',
  );
  refuse(
    augmentedColumns && augmentOn === 'device',
    '--augmented_columns takes views that are there, and --augment_on device computes them; give one of them.',
  );
  refuse(
    augmentedColumns && progressive,
    '--augmented_columns does not go with --progressive, whose csv files have no such columns; leave one of them out.',
  );
}

/**
 * Checks the rules of flags of ranks.
 * @param startedBy name of the environment variable that says that this process already is a rank
 * @throws CleanclipError `ERR_OPTION` when flags contradict one another or the environment
 */
export function checkRankRules(options: TrainOptions, startedBy?: string): void {
  const { distributed, nprocPerNode, nnodes, nodeRank, deviceIds, device, distributedInitMethod } = options;
  for (const [flag, given] of [
    ['nproc_per_node', nprocPerNode !== undefined],
    ['nnodes', nnodes > 1],
    ['node_rank', nodeRank !== undefined],
  ] as const) {
    refuse(
      given && startedBy !== undefined,
      `--${flag} starts ranks, but ${startedBy} is set: this process is one already; leave out the flag, or ` +
        'unset the variable.',
    );
    refuse(given && !distributed, `--${flag} is for --distributed; add that flag, or leave it out.`);
  }
  refuse(
    distributedInitMethod !== undefined && startedBy === 'WORLD_SIZE',
    '--distributed_init_method says where ranks meet, but WORLD_SIZE is set: this process is one, which meets ' +
      'the others at MASTER_ADDR and MASTER_PORT; leave out the flag, or unset the variable.',
  );
  if (deviceIds !== undefined) {
    refuse(
      !distributed && startedBy === undefined,
      '--device_ids is for --distributed; add that flag, or name one GPU with --device_id.',
    );
    refuse(device === 'cpu', '--device_ids names GPUs, but --device is cpu; leave one of them out.');
    refuse(
      new Set(deviceIds).size < deviceIds.length,
      `--device_ids must name each GPU once, but is ${deviceIds.join(' ')}.`,
    );
    refuse(
      nprocPerNode !== undefined && nprocPerNode !== deviceIds.length,
      `--nproc_per_node is ${nprocPerNode}, but --device_ids names ${deviceIds.length} GPUs; leave one of them out.`,
    );
  }
  refuse(
    nnodes > 1 && nodeRank === undefined,
    `--nnodes ${nnodes} needs --node_rank, which of the machines this is: 0 to ${nnodes - 1}.`,
  );
  refuse((nodeRank ?? 0) >= nnodes, `--node_rank must be below ${nnodes}, the number of --nnodes, but is ${nodeRank}.`);
}

/**
 * Checks that the ranks can share a batch of training equally.
 * @throws CleanclipError `ERR_OPTION` when they cannot
 */
export function checkBatchRule(options: TrainOptions, worldSize: number): void {
  const { trainData, batchSize, accumFreq, finetune, linearProbeBatchSize } = options;
  const [flag, size, parts] = finetune
    ? ['linear_probe_batch_size', linearProbeBatchSize, 1]
    : ['batch_size', batchSize, accumFreq];
  if ((trainData === undefined && !finetune) || size % (worldSize * parts) === 0) return;
  const inParts = parts > 1 ? ` in ${parts} parts` : '';
  throw optionError(
    `--${flag} is divided among ${worldSize} ranks${inParts}, but is ${size}; make it a multiple ` +
      `of ${worldSize * parts}.`,
  );
}
