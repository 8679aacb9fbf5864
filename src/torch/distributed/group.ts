import { CleanclipError, optionError } from '../../errors';
import { addon } from '../addon';
import { checkTimeout, DEFAULT_TIMEOUT, named, naming } from './failure';
import type { NativeGroup } from './native';
import { checkRanks, rendezvous, type Rendezvous } from './rendezvous';
import type { Store } from './store';

/** Gloo exchanges tensors on CPUs; NCCL those on CUDA devices, beside Gloo for the others. */
export type Backend = 'gloo' | 'nccl';

/** How {@link initProcessGroup} makes the group. */
export interface ProcessGroupOptions {
  /** default 'gloo' */
  backend?: Backend;
  /** `env://` (default), `tcp://host:port` or `file:///path` */
  initMethod?: string;
  /** instead of `initMethod`; it stays open when the group is destroyed */
  store?: Store;
  /** this process, from 0; default with env:// the variable RANK */
  rank?: number;
  /** default with env:// the variable WORLD_SIZE */
  worldSize?: number;
  /** milliseconds that any one operation takes at most; default 30 minutes */
  timeout?: number;
}

/** @internal The group of this thread. */
export interface ProcessGroup {
  native: NativeGroup;
  rank: number;
  worldSize: number;
  backend: Backend;
  timeout: number;
  pending: Set<Promise<unknown>>;
  /** to close with the group */
  ownStore?: Store;
}

let current: ProcessGroup | undefined;
let beginning = false;

/**
 * Joins this thread to the other ranks and waits until all are there (torch.distributed.init_process_group). Ranks of Python's torch
 * may be among them. Gloo listens on the interfaces of GLOO_SOCKET_IFNAME (`eth0` or `eth0,eth1`); without it on the address from
 * which this machine reaches MASTER_ADDR, and with a file or a store of your own on the loopback address.
 * @throws CleanclipError `ERR_OPTION` for wrong options, `ERR_DISTRIBUTED` when a rank does not come in time
 */
export async function initProcessGroup(options: ProcessGroupOptions = {}): Promise<void> {
  const { backend = 'gloo', initMethod = 'env://', timeout = DEFAULT_TIMEOUT } = options;
  if (current !== undefined || beginning) throw optionError('There is a process group already; destroy it first with destroyProcessGroup.');
  if (!['gloo', 'nccl'].includes(backend)) throw optionError(`backend must be 'gloo' or 'nccl', but it is '${backend}'.`);
  if (backend === 'nccl' && !isNcclAvailable()) throw optionError("backend is 'nccl', but this libtorch is built without it; use 'gloo'.");
  checkTimeout(timeout);
  beginning = true;
  try {
    const met: Rendezvous =
      options.store === undefined
        ? await rendezvous({ ...options, initMethod, timeout })
        : { store: options.store, ...checkRanks(options), host: process.env.MASTER_ADDR ?? '' };
    const { store, rank, worldSize, host } = met;
    const interfaces = process.env.GLOO_SOCKET_IFNAME ?? '';
    const ownStore = options.store === undefined ? store : undefined;
    try {
      const native = await naming({ who: whoIs({ rank, worldSize }), operation: 'initProcessGroup', timeout }, () =>
        addon().createGroup(store.native, backend, rank, worldSize, timeout, interfaces, host),
      );
      current = { native, rank, worldSize, backend, timeout, pending: new Set(), ownStore };
    } catch (error) {
      ownStore?.close();
      throw error;
    }
  } finally {
    beginning = false;
  }
}

/**
 * Leaves the group, once what is under way in it has ended (torch.distributed.destroy_process_group). Where rank 0 hosts the store, let the
 * others come through a barrier first. A process may also end without it.
 */
export async function destroyProcessGroup(): Promise<void> {
  const group = processGroup();
  current = undefined;
  await Promise.allSettled(group.pending);
  await addon().destroyGroup(group.native);
  group.ownStore?.close();
}

/** Whether this thread is in a group. */
export const isInitialized = (): boolean => current !== undefined;

/** This process among the ranks, from 0. */
export const getRank = (): number => processGroup().rank;

/** The number of ranks. */
export const getWorldSize = (): number => processGroup().worldSize;

/** The backend of the group. */
export const getBackend = (): Backend => processGroup().backend;

/** Whether libtorch was built with NCCL. */
export const isNcclAvailable = (): boolean => addon().hasNccl();

/** @internal The group of this thread; throws when there is none. */
export function processGroup(): ProcessGroup {
  if (current === undefined) {
    throw new CleanclipError('There is no process group in this thread; await initProcessGroup first.', 'ERR_DISTRIBUTED');
  }
  return current;
}

/** @internal Runs an operation of the group; its failure names rank, operation and time limit. */
export async function together<T>(operation: string, start: (group: ProcessGroup) => Promise<T>): Promise<T> {
  const group = processGroup();
  const result = naming({ who: whoIs(group), operation, timeout: group.timeout }, () => start(group));
  group.pending.add(result);
  try {
    return await result;
  } finally {
    group.pending.delete(result);
  }
}

/** @internal The same for what blocks this thread until the ranks have done it. */
export function blocking<T>(group: ProcessGroup, operation: string, block: () => T): T {
  try {
    return block();
  } catch (error) {
    throw named({ who: whoIs(group), operation, timeout: group.timeout }, error);
  }
}

/** @internal `Rank 1 of 4` */
export const whoIs = ({ rank, worldSize }: { rank: number; worldSize: number }): string => `Rank ${rank} of ${worldSize}`;
