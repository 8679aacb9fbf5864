import { addon } from './addon';
import type { Gpu, NativeEvent, NativeStream } from './cuda_native';
import type { Tensor } from './tensor';

/**
 * A queue of work of a GPU (torch.cuda.Stream). Work of one stream is done in order; of several, at once where the GPU
 * has room.
 */
export class Stream {
  /** @internal */
  readonly native: NativeStream;

  /**
   * @param device default: the current GPU
   * @param options.highPriority its work goes before that of others; default false
   */
  constructor(device?: Gpu, options: { highPriority?: boolean } = {}) {
    this.native = addon().createCudaStream(device, options.highPriority ?? false);
  }

  /** The GPU's index. */
  get device(): number {
    return addon().cudaStreamDevice(this.native);
  }

  /** Whether all its work is done. */
  query(): boolean {
    return addon().queryCudaStream(this.native);
  }

  /** Blocks this thread until all its work is done. */
  synchronize(): void {
    addon().synchronizeCudaStream(this.native);
  }

  /**
   * Lets what is given to this stream from now on begin after what the other one holds now; this thread does not wait.
   */
  waitStream(other: Stream): void {
    const event = new Event();
    event.record(other);
    event.wait(this);
  }
}

/** A mark in a stream, and the time it was passed (torch.cuda.Event with timing). */
export class Event {
  private readonly native: NativeEvent = addon().createCudaEvent();

  /** Marks what the stream holds now; default: the current stream. */
  record(stream: Stream = currentStream()): void {
    addon().recordCudaEvent(this.native, stream.native);
  }

  /**
   * Lets what is given to the stream from now on begin after the mark; default: the current stream. This thread does
   * not wait.
   */
  wait(stream: Stream = currentStream()): void {
    addon().waitCudaEvent(this.native, stream.native);
  }

  /** Whether the mark has been passed. */
  query(): boolean {
    return addon().queryCudaEvent(this.native);
  }

  /** Blocks this thread until the mark has been passed. */
  synchronize(): void {
    addon().synchronizeCudaEvent(this.native);
  }

  /** Milliseconds from this mark to that one; both must have been passed. */
  elapsedTime(end: Event): number {
    return addon().cudaElapsedTime(this.native, end.native);
  }
}

/** The stream that work of this thread is given to (torch.cuda.current_stream); default: of the current GPU. */
export const currentStream = (device?: Gpu): Stream => streamOf(addon().currentCudaStream(device));

/**
 * Runs a synchronous function whose work is given to the stream, and which has its GPU for the current one (`with
 * torch.cuda.stream`). A tensor of one stream that another one reads must be made by then, see {@link
 * Stream.waitStream}, and not be freed before, see {@link recordStream}.
 */
export function stream<T>(on: Stream, fn: () => T): T {
  const device = addon().cudaDevice();
  const before = addon().setCudaStream(on.native);
  try {
    addon().setCudaDevice(on.device);
    return fn();
  } finally {
    addon().setCudaStream(before);
    addon().setCudaDevice(device);
  }
}

/**
 * Lets a tensor that a stream reads be freed at any time: its memory waits for what the stream holds now
 * (torch.Tensor.record_stream).
 */
export const recordStream = (tensor: Tensor, stream: Stream): void =>
  addon().recordStream(tensor.handle, stream.native);

const streamOf = (native: NativeStream): Stream => Object.assign(Object.create(Stream.prototype) as Stream, { native });
