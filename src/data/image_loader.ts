import type { Geometry } from '../images/preprocess_config';
import { type Tensor } from '../torch';
import { type BadImage, type EpochOptions } from './batch';
import { PairLoader } from './loader';
import { PairTableBuilder } from './pairs';
import { type Shard } from './sampler';

/** Options of {@link ImageLoader}. */
export interface ImageLoaderOptions {
  batchSize: number;
  /** side of the images in pixels, as the model takes them */
  size: number;
  /** how images become squares, as the model wants it; default OpenAI's CLIP's: the square in the middle */
  geometry?: Geometry;
  /** threads that load; 0: the calling thread. Default 0 */
  numWorkers?: number;
  /** of the order; default 0 */
  seed?: number;
  /** a new order each epoch; default false */
  shuffle?: boolean;
  /** leave out a last batch that is not full; default false */
  dropLast?: boolean;
  /** load this rank's part of the images; default all */
  shard?: Shard;
  /** throw at an image that cannot be read, which is left out otherwise; default false */
  strict?: boolean;
  /** images that may be left out before the loading ends with an error; default 1% of them, and at least 100 */
  maxBadRows?: number;
  /** keep decoded images in memory if room for all of them takes no more than this; default 1 GiB */
  cacheBytes?: number;
  onBadRow?: (bad: BadImage) => void;
}

/** Images on the CPU, B of them; the last batch may be smaller. */
export interface ImageBatch {
  /** place in the epoch, from 0 */
  index: number;
  /** [B] places in the list of paths */
  indices: Int32Array;
  /** uint8 [B, 3, size, size] */
  pixels: Tensor;
  /** Frees the tensor. */
  dispose(): void;
}

/**
 * Images of a list of paths, decoded, resized and cropped, loaded as by {@link PairLoader}; its threads serve every
 * epoch.
 */
export class ImageLoader {
  /** batches an epoch */
  readonly batches: number;
  private readonly loader: PairLoader;

  /**
   * @param paths of image files, at least one
   * @throws CleanclipError as {@link PairLoader}
   */
  constructor(paths: readonly string[], options: ImageLoaderOptions) {
    const builder = new PairTableBuilder('');
    for (const path of paths) builder.add(path, '', false);
    this.loader = new PairLoader(builder.finish(), { shuffle: false, dropLast: false, ...options, contextLength: 0 });
    this.batches = this.loader.batches;
  }

  /** How many images have turned out to be bad until now. */
  get badImages(): number {
    return this.loader.badRows;
  }

  /**
   * The batches of one epoch in order. The reader disposes of each. Leaving the loop ends the loading.
   * @param epoch seeds the order, together with the seed of the loader
   * @throws CleanclipError as `PairLoader.epoch`
   */
  async *epoch(epoch: number, options: EpochOptions = {}): AsyncGenerator<ImageBatch, void, undefined> {
    for await (const { index, rows, pixels, dispose } of this.loader.epoch(epoch, options)) {
      yield { index, indices: rows, pixels, dispose };
    }
  }

  /** Stops what is being loaded and ends the threads. */
  async close(): Promise<void> {
    await this.loader.close();
  }
}

/**
 * Images in the order of their paths, once: an {@link ImageLoader} for a single epoch. The reader disposes of each
 * batch.
 * @param paths of image files, at least one
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
