import { chooseDevice } from '../clip/open';
import { optionError } from '../errors';
import type { TrainOptions } from '../options/train';
import { fromAllRanks } from '../run/ranks';
import { torch } from '../torch';

const { distributed } = torch;

/** Options that may differ from rank to rank, because they belong to its machine. */
const OWN = [
  ...[
    'deviceId',
    'deviceIds',
    'numWorkers',
    'nprocPerNode',
    'nodeRank',
    'distributedInitMethod',
    'logs',
    'imageCache',
    'notes',
  ],
  ...['trainData', 'validationData', 'eval', 'evalTestDataDir', 'evalTrainDataDir', 'checkpoint', 'checkpointFinetune'],
];

/**
 * Runs a job alone, or as one of several ranks when the environment says so (RANK, WORLD_SIZE, MASTER_ADDR,
 * MASTER_PORT, as torchrun sets them). After a failure it does not destroy the group, but announces the failure to the
 * other ranks.
 * @throws CleanclipError `ERR_OPTION` on all ranks when they were started with different options
 */
export async function inGroup<Result>(options: object, work: () => Promise<Result>): Promise<Result> {
  if (process.env.WORLD_SIZE === undefined || !('distributedBackend' in options)) return work();
  const { distributedBackend, distributedTimeout, ...rest } = options as TrainOptions;
  const nccl = distributedBackend === 'nccl' && chooseDevice(rest) !== 'cpu' && distributed.isNcclAvailable();
  await distributed.initProcessGroup({ backend: nccl ? 'nccl' : 'gloo', timeout: 1000 * distributedTimeout });
  try {
    await checkSame(options as TrainOptions);
    const result = await work();
    await distributed.barrier();
    await distributed.destroyProcessGroup();
    return result;
  } catch (error) {
    await distributed.announceFailure(error);
    throw error;
  }
}

async function checkSame(options: TrainOptions): Promise<void> {
  const [first, ...others] = await fromAllRanks(options);
  for (const [i, other] of others.entries()) {
    const name = Object.keys(first).find(
      (key) => !OWN.includes(key) && String(first[key as never]) !== String(other[key as never]),
    );
    if (name === undefined) continue;
    throw optionError(
      `Rank 0 has ${name} ${first[name as never]}, and rank ${i + 1} ${other[name as never]}; start all ranks ` +
        'with the same options.',
    );
  }
}
