import { availableParallelism, cpus } from 'node:os';

import type { MeetingPoint, RankVariables } from './variables';

/** How many tasks srun has started together with this process; 1 outside of a step of SLURM. */
export const slurmTasks = (env: NodeJS.ProcessEnv): number =>
  (env.SLURM_STEP_ID ?? env.SLURM_STEPID) === undefined || env.SLURM_PROCID === undefined
    ? 1
    : Number(env.SLURM_STEP_NUM_TASKS ?? env.SLURM_NTASKS ?? 1);

/**
 * The rank that this task of a step of SLURM is.
 * @param met where the ranks meet, if that is given; else on the first host of the step, at a port that follows from
 * the numbers of job and step
 */
export function slurmRank(env: NodeJS.ProcessEnv, met: Partial<MeetingPoint>): RankVariables {
  const localRanks = tasksHere(env);
  const step = Number(env.SLURM_JOB_ID ?? 0) + Number(env.SLURM_STEP_ID ?? env.SLURM_STEPID);
  return {
    RANK: env.SLURM_PROCID!,
    WORLD_SIZE: String(slurmTasks(env)),
    LOCAL_RANK: seesOneGpu(env) ? '0' : (env.SLURM_LOCALID ?? '0'),
    LOCAL_WORLD_SIZE: String(localRanks),
    MASTER_ADDR: met.MASTER_ADDR ?? firstHost(env.SLURM_STEP_NODELIST ?? '127.0.0.1'),
    MASTER_PORT: met.MASTER_PORT ?? String(20_000 + (step % 10_000)),
    OMP_NUM_THREADS: env.OMP_NUM_THREADS ?? env.SLURM_CPUS_PER_TASK ?? String(coresOfTask(localRanks)),
  };
}

/** The first host of a list as SLURM writes it: `node[07-09,12],gpu3` → `node07`. */
export function firstHost(list: string): string {
  const [hosts] = /^(?:[^,[]|\[[^\]]*\])+/.exec(list) ?? [list];
  return hosts.replace(/\[([^\],-]+)[^\]]*\]/g, '$1');
}

/**
 * The tasks on this machine: `2(x3),1` are 2 on each of the first three and 1 on the fourth, of which SLURM_NODEID is
 * one.
 */
function tasksHere({ SLURM_STEP_TASKS_PER_NODE, SLURM_NODEID }: NodeJS.ProcessEnv): number {
  const byNode = [...(SLURM_STEP_TASKS_PER_NODE ?? '').matchAll(/(\d+)(?:\(x(\d+)\))?/g)].flatMap(
    ([, tasks, nodes = '1']) => Array<number>(Number(nodes)).fill(Number(tasks)),
  );
  return byNode[Number(SLURM_NODEID ?? 0)] ?? 1;
}

/** With --gpus-per-task SLURM shows each task its own GPU alone. */
const seesOneGpu = ({ CUDA_VISIBLE_DEVICES: visible }: NodeJS.ProcessEnv): boolean =>
  !!visible && !visible.includes(',');

/** SLURM may have bound the task to its cores; where it has not, they are shared. */
const coresOfTask = (localRanks: number): number =>
  Math.min(availableParallelism(), Math.max(1, Math.floor(cpus().length / localRanks)));
