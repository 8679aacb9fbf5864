import { optionError } from '../../errors';
import type { TrainOptions } from '../../options/train';

/**
 * Refuses flags of ranks that contradict one another.
 * @param startedBy the variable that says that this process is a rank already
 */
export function checkFlags(options: TrainOptions, startedBy?: string): void {
  const { distributed, nprocPerNode, nnodes, nodeRank, deviceIds, device, distributedInitMethod } = options;
  const refuse = (wrong: boolean, message: string): void => {
    if (wrong) throw optionError(message);
  };
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

/** Refuses a batch of training that the ranks cannot share equally. */
export function checkBatch(options: TrainOptions, worldSize: number): void {
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
