import { optionError } from '../../errors';
import { checkBatchRule, checkRankRules } from '../../options/rules';
import type { TrainOptions } from '../../options/train';
import { freePort } from './free_port';
import { slurmRank, slurmTasks } from './slurm';
import { type MeetingPoint, type RankVariables, readMeetingPoint, threadsOf } from './variables';

/**
 * How the ranks of a job come to be. Without `start` this process does the job itself, as the rank of `join` if that is
 * given.
 */
export interface Plan {
  /** variables to add to the environment of this process */
  join?: RankVariables;
  /** the ranks to start on this machine */
  start?: RankVariables[];
}

/**
 * Decides how a job runs. It runs here as one of several ranks when a launcher such as torchrun has started this
 * process (WORLD_SIZE is set). The same holds when srun has started it, with `--distributed`. Otherwise `--distributed`
 * starts ranks, and without it the job runs in this process alone.
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

/** Returns the meeting point given by `--distributed_init_method`, or else by MASTER_ADDR and MASTER_PORT. */
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

/** Returns the meeting point of the ranks to start. On one machine it is a free port, unless one is given. */
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
