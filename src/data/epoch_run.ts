import { CleanclipError } from '../errors';
import { disposeTensors, type FilledTensors } from './batch_tensors';
import { disposePictures, type Picture } from './pictures';
import { type BadSlot } from './row_filler';

/** A batch that the workers have filled. Its bad slots hold arbitrary values. */
export interface LoadedBatch {
  /** indices of the rows in the table */
  rows: Int32Array;
  tensors: FilledTensors;
  /** of the rows that are not bad, where a device makes the pixels */
  pictures: Picture[];
  bad: BadSlot[];
}

/** Disposes what a batch holds. */
export function disposeLoaded({ tensors, pictures }: LoadedBatch): void {
  disposeTensors(tensors);
  disposePictures(pictures);
}

/** One pass over an epoch: the batches that are being loaded, and whether they are still needed. */
export class EpochRun {
  /** batches that the reader has not received yet, in order */
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
    loading.catch(() => {}); // the reader gets the error when it reaches this batch
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

  /** Stops, waits for the workers, and disposes the batches that nobody will read. */
  async end(): Promise<void> {
    this.stop();
    this.signal?.removeEventListener('abort', this.onAbort);
    for (const loading of await Promise.allSettled(this.ahead.splice(0))) {
      if (loading.status === 'fulfilled') disposeLoaded(loading.value);
    }
  }
}
