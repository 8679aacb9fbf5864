import type { Geometry } from '../images/preprocess_config';
import { type Tensor } from '../torch';
import { type BadImage, type EpochOptions } from './batch';
import { PairLoader } from './loader';
import { PairTableBuilder } from './pairs';
import { type Shard } from './sampler';

/** Options of {@link ImageLoader}. */
export interface ImageLoaderOptions {
  /** images per batch, at least 1; with a shard, images per batch of this rank */
  batchSize: number;
  /** side of the images in pixels: the input size of the model */
  size: number;
  /** how images become squares; use the model's `config`; default: OpenAI's CLIP's centre crop */
  geometry?: Geometry;
  /** number of worker threads; 0 loads in the calling thread; default 0 */
  numWorkers?: number;
  /** seed of the order; default 0 */
  seed?: number;
  /** use a new order in each epoch; default false */
  shuffle?: boolean;
  /** skip the last batch if it is not full; default false */
  dropLast?: boolean;
  /** load only the images of this rank; default: all images */
  shard?: Shard;
  /** throw at an image that cannot be read instead of leaving it out; default false */
  strict?: boolean;
  /** bad images that may be left out before loading fails; default: 1% of the images, at least 100 */
  maxBadRows?: number;
  /** keep decoded images in memory if all of them fit into this number of bytes; default 2^30 (1 GiB) */
  cacheBytes?: number;
  /** called once for each bad image, in the order of the batches */
  onBadRow?: (bad: BadImage) => void;
}

/** B images on the CPU. B is smaller than the batch size in the last batch, or when images are bad. */
export interface ImageBatch {
  /** index of the batch in the epoch, from 0 */
  index: number;
  /** [B] indices in the list of paths, from 0 */
  indices: Int32Array;
  /** uint8 [B, 3, size, size], not normalized */
  pixels: Tensor;
  /** Disposes the tensor. */
  dispose(): void;
}

/**
 * Loads the images of a list of paths, decoded, resized and cropped, as {@link PairLoader} does. Its threads serve
 * every epoch.
 */
export class ImageLoader {
  /** batches per epoch */
  readonly batches: number;
  private readonly loader: PairLoader;

  /**
   * @param paths paths of image files, at least one
   * @throws CleanclipError ERR_OPTION as {@link PairLoader}
   */
  constructor(paths: readonly string[], options: ImageLoaderOptions) {
    const builder = new PairTableBuilder('');
    for (const path of paths) builder.add(path, '', false);
    this.loader = new PairLoader(builder.finish(), { shuffle: false, dropLast: false, ...options, contextLength: 0 });
    this.batches = this.loader.batches;
  }

  /** The number of bad images found so far. */
  get badImages(): number {
    return this.loader.badRows;
  }

  /**
   * Yields the batches of one epoch in order. The caller disposes each batch. Leaving the loop ends the loading.
   * @param epoch seeds the order, together with the seed of the loader
   * @throws CleanclipError as `PairLoader.epoch`
   */
  async *epoch(epoch: number, options: EpochOptions = {}): AsyncGenerator<ImageBatch, void, undefined> {
    for await (const { index, rows, pixels, dispose } of this.loader.epoch(epoch, options)) {
      yield { index, indices: rows, pixels, dispose };
    }
  }

  /** Stops loading and ends the threads. */
  async close(): Promise<void> {
    await this.loader.close();
  }
}

/**
 * Loads images once, in the order of their paths: an {@link ImageLoader} for a single epoch. The caller disposes each
 * batch.
 * @param paths paths of image files, at least one
 */
export async function* labelledBatches(
  paths: readonly string[],
  {
    signal,
    ...options
  }: Omit<ImageLoaderOptions, 'seed' | 'shuffle' | 'dropLast' | 'cacheBytes'> & { signal?: AbortSignal },
): AsyncGenerator<ImageBatch, void, undefined> {
  const loader = new ImageLoader(paths, { ...options, cacheBytes: 0 });
  try {
    yield* loader.epoch(0, { signal });
  } finally {
    await loader.close();
  }
}
