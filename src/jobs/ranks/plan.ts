import { optionError } from '../../errors';
import { checkBatchRule, checkRankRules } from '../../options/rules';
import type { TrainOptions } from '../../options/train';
import { freePort } from './free_port';
import { slurmRank, slurmTasks } from './slurm';
import { type MeetingPoint, type RankVariables, readMeetingPoint, threadsOf } from './variables';

/** What makes the ranks of a job: without `start` this process does it, as the rank of `join` when that is there. */
export interface Plan {
  /** variables to add to the environment of this process */
  join?: RankVariables;
  /** the ranks to start on this machine */
  start?: RankVariables[];
}

/**
 * How a job runs: in this process; in this process as one of the ranks that torchrun or the like has started
 * (WORLD_SIZE is set) or, with `--distributed`, srun; else with `--distributed` in ranks to start.
 * @throws CleanclipError `ERR_OPTION` when the flags contradict one another or the environment
 */
export async function planRanks(options: TrainOptions, env: NodeJS.ProcessEnv = process.env): Promise<Plan> {
  const { distributed, nnodes } = options;
  if (env.WORLD_SIZE !== undefined) {
    checkRankRules(options, 'WORLD_SIZE');
    checkBatchRule(options, Number(env.WORLD_SIZE));
    return {};
  }
  if (distributed && nnodes === 1 && slurmTasks(env) > 1) {
    checkRankRules(options, 'SLURM_PROCID');
    checkBatchRule(options, slurmTasks(env));
    return { join: slurmRank(env, givenMeetingPoint(options, env)) };
  }
  checkRankRules(options);
  if (!distributed) return {};
  const localRanks = options.nprocPerNode ?? options.deviceIds?.length ?? ((await gpusOf(options)) || 2);
  checkBatchRule(options, nnodes * localRanks);
  const shared = {
    WORLD_SIZE: String(nnodes * localRanks),
    LOCAL_WORLD_SIZE: String(localRanks),
    OMP_NUM_THREADS: env.OMP_NUM_THREADS ?? threadsOf(localRanks),
    ...(await meetingPoint(options, env)),
  };
  const first = (options.nodeRank ?? 0) * localRanks;
  return {
    start: Array.from({ length: localRanks }, (_, i) => ({
      RANK: String(first + i),
      LOCAL_RANK: String(i),
      ...shared,
    })),
  };
}

async function gpusOf({ device }: TrainOptions): Promise<number> {
  if (device === 'cpu') return 0;
  const { torch } = await import('../../torch');
  return torch.cuda.deviceCount();
}

/** Where the ranks meet by `--distributed_init_method`, or else by MASTER_ADDR and MASTER_PORT. */
function givenMeetingPoint(
  { distributedInitMethod: initMethod }: TrainOptions,
  env: NodeJS.ProcessEnv,
): Partial<MeetingPoint> {
  if (initMethod === undefined) return { MASTER_ADDR: env.MASTER_ADDR, MASTER_PORT: env.MASTER_PORT };
  const met = readMeetingPoint(initMethod);
  if (met === undefined)
    throw optionError(`--distributed_init_method must be tcp://host:port, but is '${initMethod}'.`);
  return met;
}

/** Where the ranks that are started meet: on one machine at a free port, unless it is given. */
async function meetingPoint(options: TrainOptions, env: NodeJS.ProcessEnv): Promise<MeetingPoint> {
  const { MASTER_ADDR, MASTER_PORT } = givenMeetingPoint(options, env);
  if (options.nnodes > 1 && (MASTER_ADDR === undefined || MASTER_PORT === undefined)) {
    throw optionError(
      `--nnodes ${options.nnodes} needs --distributed_init_method tcp://<host of node 0>:<port>, the same on ` +
        'every node.',
    );
  }
  return { MASTER_ADDR: MASTER_ADDR ?? '127.0.0.1', MASTER_PORT: MASTER_PORT ?? String(await freePort()) };
}
