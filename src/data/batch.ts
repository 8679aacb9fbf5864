import type { Geometry } from '../images/preprocess_config';
import { type BatchTensors } from './batch_tensors';
import { type Shard } from './sampler';

/** Rows of a table as tensors on the CPU. B is smaller than the batch size when rows were bad, or in a last batch. */
export interface Batch extends BatchTensors {
  /** place in the epoch, from 0; a batch in which every row is bad is left out, but not of one rank of several */
  index: number;
  /** [B] rows of the table */
  rows: Int32Array;
  /** [B] */
  isBackdoor: boolean[];
  /** Frees the tensors. */
  dispose(): void;
}

/** A row whose image cannot be read. */
export interface BadImage {
  row: number;
  image: string;
  /** a sentence that names the file */
  reason: string;
}

/** Options of {@link PairLoader}. */
export interface PairLoaderOptions {
  batchSize: number;
  /** side of the images in pixels, as the model takes them */
  size: number;
  /** token ids a caption; 0: captions are not read and `ids` is [B, 0]. Default 77 */
  contextLength?: number;
  /** threads that load; 0: the calling thread. Default 0 */
  numWorkers?: number;
  /** of the order and of every augmentation; default 0 */
  seed?: number;
  /** a new order each epoch; default true */
  shuffle?: boolean;
  /** leave out a last batch that is not full; default true */
  dropLast?: boolean;
  /** load this rank's part of the rows, `batchSize` rows of each batch; default all */
  shard?: Shard;
  /** how images become squares, as the model wants it; default OpenAI's CLIP's: the square in the middle */
  geometry?: Geometry;
  /** squash images, instead of the geometry's `resizeMode`; default false */
  squash?: boolean;
  /** make the augmented views: AutoAugment of the image, EDA of the caption; default false */
  inmodal?: boolean;
  /** tokenise as the Python reference does; default false */
  compat?: boolean;
  /** throw at a bad row, which is left out otherwise; default false */
  strict?: boolean;
  /** rows that may be left out before the loading ends with an error; default 1% of the rows, and at least 100 */
  maxBadRows?: number;
  /** keep decoded images in memory if room for all of them takes no more than this; default 1 GiB */
  cacheBytes?: number;
  /**
   * folder of a file that keeps the decoded images for later epochs and runs, instead of memory; images larger than
   * `size` × `size` are not kept with `inmodal`
   */
  imageCache?: string;
  /** make the tensors in pinned memory, which a GPU copies without stopping the CPU; default false */
  pinned?: boolean;
  /** called once for each bad row, in order */
  onBadRow?: (bad: BadImage) => void;
  /** called when the disk of `imageCache` is too small for it, and when it is full */
  onWarning?: (warning: string) => void;
}

/** Options of one epoch of a loader. */
export interface EpochOptions {
  /** batches to leave out at the start, to go on in the middle of an epoch; default 0 */
  startBatch?: number;
  /** ends the loading with ERR_ABORTED */
  signal?: AbortSignal;
}
