import type { Geometry } from '../images/preprocess_config';
import { type BatchTensors } from './batch_tensors';
import { type Shard } from './sampler';

/**
 * B rows of a table as tensors, on the CPU except for pixels that are made on a device. B is smaller than the batch
 * size in the last batch, or when rows are bad.
 */
export interface Batch extends BatchTensors {
  /** index of the batch in the epoch, from 0; a batch without any good row is skipped, except with several ranks */
  index: number;
  /** [B] indices of the rows in the table, from 0 */
  rows: Int32Array;
  /** [B] whether each row is poisoned */
  isBackdoor: boolean[];
  /** Disposes the tensors. */
  dispose(): void;
}

/** A row whose image cannot be read. */
export interface BadImage {
  /** index of the row in the table, from 0 */
  row: number;
  /** absolute path of the image */
  image: string;
  /** a sentence that names the file and says what is wrong */
  reason: string;
}

/** Options of {@link PairLoader}. */
export interface PairLoaderOptions {
  /** rows per batch, at least 1; with a shard, rows per batch of this rank */
  batchSize: number;
  /** side of the images in pixels: the input size of the model */
  size: number;
  /** token ids per caption; with 0 captions are not read and `ids` is [B, 0]; default 77 */
  contextLength?: number;
  /** number of worker threads; 0 loads in the calling thread; default 0 */
  numWorkers?: number;
  /** seed of the order and of every augmentation; default 0 */
  seed?: number;
  /** use a new order in each epoch; default true */
  shuffle?: boolean;
  /** skip the last batch if it is not full; default true */
  dropLast?: boolean;
  /** load only the rows of this rank; default: all rows */
  shard?: Shard;
  /** how images become squares; use the model's `config`; default: OpenAI's CLIP's centre crop */
  geometry?: Geometry;
  /** squash images, instead of the geometry's `resizeMode`; default false */
  squash?: boolean;
  /** make the augmented views: AutoAugment of the image, EDA of the caption; default false */
  inmodal?: boolean;
  /** tokenize as the Python reference does: a caption that is too long loses its end token; default false */
  compat?: boolean;
  /** throw at a bad row instead of leaving it out; default false */
  strict?: boolean;
  /** bad rows that may be left out before loading fails; default: 1% of the rows, at least 100 */
  maxBadRows?: number;
  /** keep decoded images in memory if all of them fit into this number of bytes; default 2^30 (1 GiB) */
  cacheBytes?: number;
  /**
   * folder of a file that keeps the decoded images for later epochs and runs, instead of memory; with `inmodal`, images
   * larger than `size` × `size` are not kept; default: no file
   */
  imageCache?: string;
  /** make the tensors in pinned memory, from which a GPU copies without blocking the CPU; default false */
  pinned?: boolean;
  /**
   * resize, crop and augment the images on this device by torch's operators, to the same pixels, which stay there; the
   * threads only decode, and the cache keeps whole images up to `size` × `size`. Default: the threads do it all
   */
  device?: string;
  /** called once for each bad row, in the order of the batches */
  onBadRow?: (bad: BadImage) => void;
  /** called when the disk of `imageCache` may be too small, and when it is full */
  onWarning?: (warning: string) => void;
}

/** Options of one epoch of a loader. */
export interface EpochOptions {
  /** number of batches to skip, to resume in the middle of an epoch; default 0 */
  startBatch?: number;
  /** ends the loading with ERR_ABORTED; default: none */
  signal?: AbortSignal;
}
