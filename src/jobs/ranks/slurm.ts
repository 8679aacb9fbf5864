import { availableParallelism, cpus } from 'node:os';

import type { MeetingPoint, RankVariables } from './variables';

/** Counts the tasks that srun has started together with this process. It is 1 outside a step of SLURM. */
export const slurmTasks = (env: NodeJS.ProcessEnv): number =>
  (env.SLURM_STEP_ID ?? env.SLURM_STEPID) === undefined || env.SLURM_PROCID === undefined
    ? 1
    : Number(env.SLURM_STEP_NUM_TASKS ?? env.SLURM_NTASKS ?? 1);

/**
 * Makes the variables of the rank that this task of a SLURM step is.
 * @param env the environment of this process
 * @param met the meeting point, if given; else it is the first host of the step, at a port computed from the numbers of
 * job and step
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

/** Returns the first host of a list as SLURM writes it: `node[07-09,12],gpu3` → `node07`. */
export function firstHost(list: string): string {
  const [hosts] = /^(?:[^,[]|\[[^\]]*\])+/.exec(list) ?? [list];
  return hosts.replace(/\[([^\],-]+)[^\]]*\]/g, '$1');
}

/**
 * Counts the tasks on this machine. `2(x3),1` means 2 on each of the first three machines and 1 on the fourth;
 * SLURM_NODEID is the index of this machine.
 */
function tasksHere({ SLURM_STEP_TASKS_PER_NODE, SLURM_NODEID }: NodeJS.ProcessEnv): number {
  const byNode = [...(SLURM_STEP_TASKS_PER_NODE ?? '').matchAll(/(\d+)(?:\(x(\d+)\))?/g)].flatMap(
    ([, tasks, nodes = '1']) => Array<number>(Number(nodes)).fill(Number(tasks)),
  );
  return byNode[Number(SLURM_NODEID ?? 0)] ?? 1;
}

/** Tells whether the task sees exactly one GPU. With --gpus-per-task SLURM shows each task only its own. */
const seesOneGpu = ({ CUDA_VISIBLE_DEVICES: visible }: NodeJS.ProcessEnv): boolean =>
  !!visible && !visible.includes(',');

/**
 * Counts the cores for this task. SLURM may have bound the task to its cores; otherwise the ranks share those of the
 * machine.
 */
const coresOfTask = (localRanks: number): number =>
  Math.min(availableParallelism(), Math.max(1, Math.floor(cpus().length / localRanks)));
