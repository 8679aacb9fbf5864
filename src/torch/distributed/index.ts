/** torch.distributed: ranks exchange tensors, and each operation returns a promise. */
export {
  allGather,
  allReduce,
  barrier,
  broadcast,
  broadcastCoalesced,
  recv,
  reduceScatter,
  send,
  type ReduceOp,
} from './collectives';
export { allGatherRows } from './gather';
export {
  announceFailure,
  destroyProcessGroup,
  getBackend,
  getRank,
  getWorldSize,
  initProcessGroup,
  isInitialized,
  isNcclAvailable,
  type Backend,
  type ProcessGroupOptions,
} from './group';
export { allGatherObject } from './objects';
export { DistributedDataParallel, type ParallelModule, type ParallelOptions } from './parallel';
export { FileStore, Store, TCPStore, type TCPStoreOptions } from './store';
