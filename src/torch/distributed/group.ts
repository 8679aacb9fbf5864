import { CleanclipError, optionError } from '../../errors';
import { addon } from '../addon';
import { checkTimeout, DEFAULT_TIMEOUT } from './failure';
import { Heartbeat } from './heartbeat';
import type { NativeGroup } from './native';
import { checkRanks, type Rendezvous, rendezvous } from './rendezvous';
import type { Store } from './store';

/** Gloo exchanges tensors on CPUs. NCCL exchanges those on CUDA devices, and Gloo the others beside it. */
export type Backend = 'gloo' | 'nccl';

/** How `torch.distributed.initProcessGroup` makes the group. */
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
  /**
   * milliseconds, at least 3000, that another rank's heartbeat may be missing while this one waits; default a minute.
   * After that, what waits fails before its time limit. A process that a debugger stopped is silent; a busy one is not.
   */
  silence?: number;
}

/** @internal The group of this thread. */
export interface ProcessGroup {
  native: NativeGroup;
  rank: number;
  worldSize: number;
  backend: Backend;
  timeout: number;
  pending: Set<Promise<unknown>>;
  /** the last one under way that takes several exchanges */
  several?: Promise<unknown>;
  heartbeat: Heartbeat;
  /** to close with the group */
  ownStore?: Store;
}

const DEFAULT_SILENCE = 60 * 1000;

let current: ProcessGroup | undefined;
let beginning = false;

/**
 * Joins this thread to the other ranks and waits until all are there (torch.distributed.init_process_group). Some of
 * them may run Python's torch. Gloo listens on the interfaces of GLOO_SOCKET_IFNAME (`eth0` or `eth0,eth1`). Without
 * it, Gloo listens on the address from which this machine reaches MASTER_ADDR. With a file or a store of your own, it
 * listens on the loopback address.
 * @throws CleanclipError `ERR_OPTION` for wrong options, `ERR_DISTRIBUTED` when a rank does not come in time
 */
export async function initProcessGroup(options: ProcessGroupOptions = {}): Promise<void> {
  const { backend = 'gloo', initMethod = 'env://', timeout = DEFAULT_TIMEOUT, silence = DEFAULT_SILENCE } = options;
  if (current !== undefined || beginning)
    throw optionError('There is a process group already; destroy it first with destroyProcessGroup.');
  if (!['gloo', 'nccl'].includes(backend))
    throw optionError(`backend must be 'gloo' or 'nccl', but it is '${backend}'.`);
  if (backend === 'nccl' && !isNcclAvailable())
    throw optionError("backend is 'nccl', but this libtorch is built without it; use 'gloo'.");
  checkTimeout(timeout);
  if (!(silence >= 3000))
    throw optionError(
      `silence must be 3000 milliseconds or more, as ranks show that they live every second, but it is ${silence}.`,
    );
  beginning = true;
  try {
    const met: Rendezvous =
      options.store === undefined
        ? await rendezvous({ ...options, initMethod, timeout })
        : { store: options.store, ...checkRanks(options), host: process.env.MASTER_ADDR ?? '', firstHosts: false };
    const ownStore = options.store === undefined ? met.store : undefined;
    try {
      current = { ...(await join(met, { backend, timeout, silence })), ownStore };
    } catch (error) {
      ownStore?.close();
      throw error;
    }
  } finally {
    beginning = false;
  }
}

/** Waits until all ranks are there. */
async function join(
  met: Rendezvous,
  { backend, timeout, silence }: { backend: Backend; timeout: number; silence: number },
): Promise<ProcessGroup> {
  const { store, rank, worldSize, host, firstHosts } = met;
  const interfaces = process.env.GLOO_SOCKET_IFNAME ?? '';
  const heartbeat = await Heartbeat.start(store, { rank, worldSize, timeout, silence, firstHosts });
  try {
    const native = await heartbeat.during('initProcessGroup', false, () =>
      addon().createGroup(store.native, backend, rank, worldSize, timeout, interfaces, host),
    );
    heartbeat.guard(native);
    return { native, rank, worldSize, backend, timeout, pending: new Set(), heartbeat };
  } catch (error) {
    await heartbeat.stop();
    throw error;
  }
}

/**
 * Waits for the group's operations and leaves the group (torch.distributed.destroy_process_group). If rank 0 hosts the
 * store, call a barrier before. A process may also end without calling this.
 * @throws CleanclipError `ERR_DISTRIBUTED` when there is no group
 */
export async function destroyProcessGroup(): Promise<void> {
  const group = processGroup();
  current = undefined;
  await Promise.allSettled(group.pending);
  await group.heartbeat.stop();
  await addon().destroyGroup(group.native);
  group.ownStore?.close();
}

/**
 * Tells the other ranks why this one gives up. A program calls it before it ends with an error of its own. What the
 * others wait for then fails within seconds, and their errors say `rank 1 failed: …`. It takes about 3 s at most. It
 * does nothing without a group, nor for `ERR_DISTRIBUTED` and `ERR_ABORTED`, which other ranks get too.
 */
export async function announceFailure(error: unknown): Promise<void> {
  const shared = error instanceof CleanclipError && ['ERR_DISTRIBUTED', 'ERR_ABORTED'].includes(error.code);
  if (current === undefined || shared) return;
  const reason = (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
  await current.heartbeat.announce(`rank ${current.rank} failed: ${reason}`);
}

/** Returns whether this thread is in a group (is_initialized). */
export const isInitialized = (): boolean => current !== undefined;

/** Returns the rank of this process, from 0 (get_rank); throws CleanclipError `ERR_DISTRIBUTED` without a group. */
export const getRank = (): number => processGroup().rank;

/** Returns the number of ranks (get_world_size); throws CleanclipError `ERR_DISTRIBUTED` without a group. */
export const getWorldSize = (): number => processGroup().worldSize;

/** Returns the group's backend (get_backend); throws CleanclipError `ERR_DISTRIBUTED` without a group. */
export const getBackend = (): Backend => processGroup().backend;

/** Returns whether libtorch was built with NCCL (is_nccl_available). */
export const isNcclAvailable = (): boolean => addon().hasNccl();

/** @internal The group of this thread; throws when there is none. */
export function processGroup(): ProcessGroup {
  if (current === undefined) {
    throw new CleanclipError(
      'There is no process group in this thread; await initProcessGroup first.',
      'ERR_DISTRIBUTED',
    );
  }
  return current;
}

/**
 * @internal Runs an operation of the group; its failure names this rank, the operation and the rank that is the cause.
 * @param collective whether all ranks run it; default true
 */
export async function runOperation<T>(
  operation: string,
  start: (group: ProcessGroup) => Promise<T>,
  collective = true,
): Promise<T> {
  const group = processGroup();
  const begin = (): Promise<T> => group.heartbeat.during(operation, collective, () => start(group));
  const result = collective && group.several !== undefined ? group.several.then(begin, begin) : begin();
  group.pending.add(result);
  try {
    return await result;
  } finally {
    group.pending.delete(result);
  }
}

/**
 * @internal Does the same for an operation of several exchanges. A collective that is called meanwhile waits, so that
 * all ranks keep the order of the calls.
 */
export async function inOneGo<T>(operation: string, start: (group: ProcessGroup) => Promise<T>): Promise<T> {
  const group = processGroup();
  const result = runOperation(operation, start);
  group.several = result;
  try {
    return await result;
  } finally {
    if (group.several === result) delete group.several;
  }
}

/** @internal Does as {@link runOperation} for an operation that blocks this thread. */
export function blocking<T>(group: ProcessGroup, operation: string, block: () => T, collective = true): T {
  if (collective && group.several !== undefined)
    throw optionError(`${operation} blocks this thread while allGatherObject waits; await that first.`);
  return group.heartbeat.duringBlock(operation, collective, block);
}
