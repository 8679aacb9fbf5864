import { type Tensor } from '../torch';
import { type BadImage } from './batch';
import { PairLoader } from './loader';
import { PairTableBuilder } from './pairs';

export interface ImageBatchesOptions {
  batchSize: number;
  /** side of the images in pixels, as the model takes them */
  size: number;
  /** threads that load; 0: the calling thread. Default 0 */
  numWorkers?: number;
  /** throw at an image that cannot be read, which is left out otherwise; default false */
  strict?: boolean;
  onBadRow?: (bad: BadImage) => void;
  signal?: AbortSignal;
}

/** Images on the CPU, B of them; the last batch may be smaller. */
export interface ImageBatch {
  /** [B] places in the list of paths */
  indices: Int32Array;
  /** uint8 [B, 3, size, size] */
  pixels: Tensor;
  /** Frees the tensor. */
  dispose(): void;
}

/**
 * Images in the order of their paths, decoded, resized and cropped, loaded as by {@link PairLoader}. The reader disposes
 * of each batch.
 *
 * @param paths of image files, at least one
 * @throws CleanclipError as `PairLoader.epoch`
 */
export async function* labelledBatches(
  paths: readonly string[],
  { signal, ...options }: ImageBatchesOptions,
): AsyncGenerator<ImageBatch, void, undefined> {
  const builder = new PairTableBuilder('');
  for (const path of paths) builder.add(path, '', false);
  const loader = new PairLoader(builder.finish(), { ...options, contextLength: 0, shuffle: false, dropLast: false, cacheBytes: 0 });
  try {
    for await (const { rows, pixels, dispose } of loader.epoch(0, { signal })) yield { indices: rows, pixels, dispose };
  } finally {
    await loader.close();
  }
}
