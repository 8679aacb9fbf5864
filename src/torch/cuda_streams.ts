import { addon } from './addon';
import type { Gpu, NativeEvent, NativeStream } from './cuda_native';
import type { Tensor } from './tensor';

/**
 * A queue of a GPU's work (torch.cuda.Stream). A GPU does the work of one stream in order; work of several streams may
 * run at the same time.
 */
export class Stream {
  /** @internal */
  readonly native: NativeStream;

  /**
   * Takes one of the streams that libtorch keeps for each GPU and hands out in turn.
   * @param device default: the current GPU
   * @param options.highPriority whether its work goes before that of other streams; default false
   * @throws CleanclipError `ERR_TORCH` when there is no such GPU
   */
  constructor(device?: Gpu, options: { highPriority?: boolean } = {}) {
    this.native = addon().createCudaStream(device, options.highPriority ?? false);
  }

  /** The index of its GPU. */
  get device(): number {
    return addon().cudaStreamDevice(this.native);
  }

  /** Returns whether all its work is done. */
  query(): boolean {
    return addon().queryCudaStream(this.native);
  }

  /** Blocks this thread until all its work is done. */
  synchronize(): void {
    addon().synchronizeCudaStream(this.native);
  }

  /** Makes later work of this stream wait for the work that is in the other stream now; this thread does not wait. */
  waitStream(other: Stream): void {
    const event = new Event();
    event.record(other);
    event.wait(this);
  }
}

/**
 * A mark in a stream's work, and the time when the GPU passed it (torch.cuda.Event with `enable_timing=True`). Making
 * one throws CleanclipError `ERR_TORCH` without a GPU.
 */
export class Event {
  private readonly native: NativeEvent = addon().createCudaEvent();

  /**
   * Sets the mark after the work that is in the stream now.
   * @param stream default: the current stream
   */
  record(stream: Stream = currentStream()): void {
    addon().recordCudaEvent(this.native, stream.native);
  }

  /**
   * Makes later work of a stream wait for the mark; this thread does not wait.
   * @param stream default: the current stream
   */
  wait(stream: Stream = currentStream()): void {
    addon().waitCudaEvent(this.native, stream.native);
  }

  /** Returns whether the GPU has passed the mark. */
  query(): boolean {
    return addon().queryCudaEvent(this.native);
  }

  /** Blocks this thread until the GPU has passed the mark. */
  synchronize(): void {
    addon().synchronizeCudaEvent(this.native);
  }

  /**
   * Returns the milliseconds from this mark to another.
   * @throws CleanclipError `ERR_TORCH` unless the GPU has passed both
   */
  elapsedTime(end: Event): number {
    return addon().cudaElapsedTime(this.native, end.native);
  }
}

/**
 * Returns the stream that takes this thread's work for a GPU (torch.cuda.current_stream).
 * @param device default: the current GPU
 * @throws CleanclipError `ERR_TORCH` when there is no such GPU
 */
export const currentStream = (device?: Gpu): Stream => streamOf(addon().currentCudaStream(device));

/**
 * Runs a synchronous function whose work goes to a stream, and makes the stream's GPU the current one meanwhile (`with
 * torch.cuda.stream`). Before a stream reads a tensor of another one, it must wait until the tensor is computed; see
 * {@link Stream.waitStream}. The tensor must not be freed before that read; see {@link recordStream}.
 * @returns what `fn` returns
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
 * Lets a tensor that a stream reads be freed at any time (torch.Tensor.record_stream). Its memory is used again only
 * after the work that is in the stream when the tensor is freed.
 */
export const recordStream = (tensor: Tensor, stream: Stream): void =>
  addon().recordStream(tensor.handle, stream.native);

const streamOf = (native: NativeStream): Stream => Object.assign(Object.create(Stream.prototype) as Stream, { native });
