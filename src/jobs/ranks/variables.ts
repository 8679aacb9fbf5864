import { availableParallelism } from 'node:os';

/** What makes a process a rank: environment variables, named as torchrun names them. */
export interface RankVariables {
  /** among all ranks, from 0 */
  RANK: string;
  /** the number of ranks */
  WORLD_SIZE: string;
  /** among those of this machine, from 0 */
  LOCAL_RANK: string;
  /** the number of ranks on this machine */
  LOCAL_WORLD_SIZE: string;
  /** the host of rank 0, as the others reach it */
  MASTER_ADDR: string;
  /** where rank 0 awaits them */
  MASTER_PORT: string;
  /** the threads that the rank computes with */
  OMP_NUM_THREADS: string;
}

/** Where the ranks meet: at rank 0. */
export type MeetingPoint = Pick<RankVariables, 'MASTER_ADDR' | 'MASTER_PORT'>;

/** What `--distributed_init_method` names; undefined when it is not `tcp://host:port`. */
export function readMeetingPoint(initMethod: string): MeetingPoint | undefined {
  const [, host, port] = /^tcp:\/\/(\[[^\]]+\]|[^:/[\]]+):(\d+)\/?$/.exec(initMethod) ?? [];
  return host === undefined ? undefined : { MASTER_ADDR: host.replace(/^\[|\]$/g, ''), MASTER_PORT: port };
}

/** The cores of this process, shared among the ranks of the machine. */
export const threadsOf = (localRanks: number): string =>
  String(Math.max(1, Math.floor(availableParallelism() / localRanks)));
