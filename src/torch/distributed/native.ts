import type { Handle } from '../handle';

/** A c10d store inside the addon. */
export interface NativeStore {
  readonly __store: unique symbol;
}

/** A c10d process group inside the addon. */
export interface NativeGroup {
  readonly __group: unique symbol;
}

/** The heartbeat of a process group, inside the addon. */
export interface NativeHeartbeat {
  readonly __heartbeat: unique symbol;
}

/** A c10d gradient reducer inside the addon. */
export interface NativeReducer {
  readonly __reducer: unique symbol;
}

/** A failed operation: `limit` is the time limit that it did not keep, or ''; `detail` is its error. */
export type Question = [heartbeat: NativeHeartbeat, operation: string, number: number, limit: string, detail: string];

/** The functions of `native/distributed/`; times are in milliseconds. */
export interface DistributedFunctions {
  tcpStore(
    host: string,
    port: number,
    worldSize: number,
    isMaster: boolean,
    timeout: number,
    loopback: boolean,
  ): Promise<NativeStore>;
  fileStore(path: string, worldSize: number, timeout: number): Promise<NativeStore>;
  storePort(store: NativeStore): number;
  storeSet(store: NativeStore, key: string, value: Uint8Array): Promise<void>;
  storeGet(store: NativeStore, key: string): Promise<Buffer>;
  storeAdd(store: NativeStore, key: string, amount: number): Promise<number>;
  storeWait(store: NativeStore, keys: string[], timeout: number): Promise<void>;
  storeCheck(store: NativeStore, keys: string[]): Promise<boolean>;
  storeDelete(store: NativeStore, key: string): Promise<boolean>;
  storeClose(store: NativeStore): void;

  hasNccl(): boolean;
  createGroup(
    store: NativeStore,
    backend: string,
    rank: number,
    worldSize: number,
    timeout: number,
    interfaces: string,
    peer: string,
  ): Promise<NativeGroup>;
  destroyGroup(group: NativeGroup): Promise<void>;

  startHeartbeat(
    store: NativeStore,
    rank: number,
    worldSize: number,
    firstHosts: boolean,
    silence: number,
  ): Promise<NativeHeartbeat | undefined>;
  guardGroup(heartbeat: NativeHeartbeat, group: NativeGroup): void;
  beginOperation(heartbeat: NativeHeartbeat, collective: boolean): number;
  endOperation(heartbeat: NativeHeartbeat): void;
  findCause(...question: Question): Promise<string>;
  findCauseSync(...question: Question): string;
  announceFailure(heartbeat: NativeHeartbeat, cause: string): Promise<void>;
  stopHeartbeat(heartbeat: NativeHeartbeat): Promise<void>;

  allReduce(group: NativeGroup, tensor: Handle, op: string): Promise<void>;
  broadcast(group: NativeGroup, tensor: Handle, source: number): Promise<void>;
  allGather(group: NativeGroup, tensor: Handle): Promise<Handle[]>;
  reduceScatter(group: NativeGroup, tensor: Handle, op: string): Promise<Handle>;
  barrier(group: NativeGroup): Promise<void>;
  send(group: NativeGroup, tensor: Handle, destination: number, tag: number): Promise<void>;
  recv(group: NativeGroup, tensor: Handle, source: number, tag: number): Promise<void>;
  allGatherRows(group: NativeGroup, tensor: Handle, counts: readonly number[], sumGradients: boolean): Handle;

  verifyAndBroadcast(group: NativeGroup, parameters: Handle[], others: Handle[]): Promise<void>;
  broadcastCoalesced(group: NativeGroup, tensors: Handle[]): void;
  createReducer(
    group: NativeGroup,
    parameters: Handle[],
    names: string[],
    firstBucketBytes: number,
    bucketBytes: number,
    staticGraph: boolean,
  ): NativeReducer;
  beforeForward(reducer: NativeReducer): void;
  beforeBackward(reducer: NativeReducer): void;
  afterFirstBackward(reducer: NativeReducer): void;
  disposeReducer(reducer: NativeReducer): void;
}
