import { CleanclipError } from '../errors';
import { type BatchTensors, disposeTensors } from './batch_tensors';
import { type BadSlot } from './row_filler';

/** A batch as the workers filled it; its bad slots hold arbitrary values. */
export interface LoadedBatch {
  rows: Int32Array;
  tensors: BatchTensors;
  bad: BadSlot[];
}

/** One pass over an epoch: the batches that are loading, and whether they are still wanted. */
export class EpochRun {
  /** batches that the reader has not got yet, in order */
  readonly ahead: Promise<LoadedBatch>[] = [];
  /** int32 [1], read by the workers: 1 when the run is over */
  readonly cancelled = new SharedArrayBuffer(4);
  private error: CleanclipError | undefined;
  private readonly onAbort = (): void =>
    this.stop(new CleanclipError('Loading was stopped by the AbortSignal.', 'ERR_ABORTED'));

  constructor(private readonly signal?: AbortSignal) {
    signal?.addEventListener('abort', this.onAbort);
    if (signal?.aborted) this.onAbort();
  }

  /** Appends a batch that is being loaded. */
  add(loading: Promise<LoadedBatch>): void {
    loading.catch(() => {}); // the reader sees the error when it gets there, if it does
    this.ahead.push(loading);
  }

  /** Makes the workers stop; `check` then throws the error. */
  stop(error?: CleanclipError): void {
    this.error ??= error;
    Atomics.store(new Int32Array(this.cancelled), 0, 1);
  }

  /** Throws the error that stopped the run, if any. */
  check(): void {
    if (this.error) throw this.error;
  }

  /** Stops, waits until the workers have let go, and frees the batches that nobody will read. */
  async end(): Promise<void> {
    this.stop();
    this.signal?.removeEventListener('abort', this.onAbort);
    for (const loading of await Promise.allSettled(this.ahead.splice(0))) {
      if (loading.status === 'fulfilled') disposeTensors(loading.value.tensors);
    }
  }
}
