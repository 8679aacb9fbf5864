import { availableParallelism } from 'node:os';

/** The environment variables that make a process a rank, named as torchrun names them. */
export interface RankVariables {
  /** index among all ranks, from 0 */
  RANK: string;
  /** number of ranks */
  WORLD_SIZE: string;
  /** index among the ranks of this machine, from 0 */
  LOCAL_RANK: string;
  /** number of ranks on this machine */
  LOCAL_WORLD_SIZE: string;
  /** host name or address of rank 0, for the other ranks */
  MASTER_ADDR: string;
  /** port where rank 0 waits for the others */
  MASTER_PORT: string;
  /** number of threads that the rank computes with */
  OMP_NUM_THREADS: string;
}

/** The meeting point of the ranks: host and port of rank 0. */
export type MeetingPoint = Pick<RankVariables, 'MASTER_ADDR' | 'MASTER_PORT'>;

/** Parses `--distributed_init_method`; returns undefined when it is not `tcp://host:port`. */
export function readMeetingPoint(initMethod: string): MeetingPoint | undefined {
  const [, host, port] = /^tcp:\/\/(\[[^\]]+\]|[^:/[\]]+):(\d+)\/?$/.exec(initMethod) ?? [];
  return host === undefined ? undefined : { MASTER_ADDR: host.replace(/^\[|\]$/g, ''), MASTER_PORT: port };
}

/** Divides the cores of this process among the ranks of the machine; at least 1 for each. */
export const threadsOf = (localRanks: number): string =>
  String(Math.max(1, Math.floor(availableParallelism() / localRanks)));
