import { join } from 'node:path';

import { checkOptions, CleanclipError, dataError, optionError } from '../errors';
import { geometryName, geometryOf } from '../images/preprocess_config';
import { checkInteger } from '../integers';
import { show } from '../show';
import { type BadImage, type Batch, type EpochOptions, type PairLoaderOptions } from './batch';
import { disposeTensors, emptyTensors, reclaimTokens, selectRows, shareRows } from './batch_tensors';
import { disposeLoaded, EpochRun, type LoadedBatch } from './epoch_run';
import { PairTable } from './pairs';
import { disposePictures, type Picture, pixelsOn, takePicture } from './pictures';
import { PixelCache } from './pixel_cache';
import { fullWarning, PixelFile, roomWarning, type SharedPixelFile } from './pixel_file';
import { type Filled, type Part, type Recipe, RowFiller } from './row_filler';
import { batchCount, batchRows, epochOrder, shardLength, WHOLE } from './sampler';
import { WorkerPool } from './worker_pool';

export type { BadImage, Batch, EpochOptions, PairLoaderOptions } from './batch';

/** Fills parts of batches: a pool of threads, or the calling thread. */
interface Filler {
  run(part: Part): Promise<Filled>;
  close(): Promise<void>;
}

const PART = 16; // rows in one message to a worker
const LEAST_BAD_ROWS = 100; // the default of maxBadRows for small sets
const BAD_SHARE = 0.01; // and its share of the rows of larger sets

/**
 * Loads the pairs of a table in batches of images and token ids. Images are decoded, resized and cropped to uint8; call
 * `normalize` on the device. Worker threads load ahead and write directly into the tensors of a batch. The same seed,
 * epoch and rows give the same batches for any number of threads.
 *
 * ```ts
 * const loader = new PairLoader(table, { batchSize: 64, size: 224, numWorkers: 4 });
 * for await (const batch of loader.epoch(1)) { …; batch.dispose(); }
 * await loader.close();
 * ```
 */
export class PairLoader implements AsyncIterable<Batch> {
  /** batches per epoch */
  readonly batches: number;
  private readonly options: Required<
    Omit<PairLoaderOptions, 'onBadRow' | 'onWarning' | 'imageCache' | 'maxBadRows' | 'device'>
  > &
    Pick<PairLoaderOptions, 'device'>;
  private readonly onBadRow: (bad: BadImage) => void;
  private readonly onWarning: (warning: string) => void;
  private readonly cacheFile: SharedPixelFile | undefined;
  private readonly filler: Filler;
  private readonly maxBadRows: number;
  private readonly depth: number;
  private readonly bad = new Set<number>();
  private firstBad: BadImage | undefined;
  private readonly runs = new Set<EpochRun>();
  private roomChecked = false;
  private closed = false;

  /**
   * @param table what {@link readPairs} returns
   * @param given see {@link PairLoaderOptions} for the defaults
   * @throws CleanclipError ERR_OPTION: an option is invalid, or there are fewer rows than one batch; ERR_DATA: the
   * folder or file of `imageCache` cannot be made
   */
  constructor(
    private readonly table: PairTable,
    given: PairLoaderOptions,
  ) {
    checkOptions('The second argument of PairLoader', given);
    const { onBadRow = () => {}, onWarning = () => {}, imageCache, maxBadRows, ...rest } = given;
    if (!(table instanceof PairTable))
      throw optionError(`PairLoader takes what readPairs gives, but got ${show(table)}.`);
    const options = { ...DEFAULTS, ...rest };
    const { batchSize, size, numWorkers, dropLast, shard, cacheBytes, contextLength, seed } = options;
    const { inmodal, compat, pinned, device } = options;
    const geometry = geometryOf(options.squash ? { ...options.geometry, resizeMode: 'squash' } : options.geometry);
    checkInteger('batchSize', batchSize, { least: 1 });
    checkInteger('size', size, { least: 1 });
    checkInteger('contextLength', contextLength, { least: 0 });
    checkInteger('numWorkers', numWorkers, { least: 0 });
    if (maxBadRows !== undefined) checkInteger('maxBadRows', maxBadRows, { least: 0 });
    this.maxBadRows = maxBadRows ?? Math.max(LEAST_BAD_ROWS, Math.floor(BAD_SHARE * shardLength(table.length, shard)));
    this.options = { ...options, geometry };
    this.onBadRow = onBadRow;
    this.onWarning = onWarning;
    this.batches = batchCount(shardLength(table.length, shard), batchSize, dropLast);
    if (this.batches === 0) {
      throw optionError(
        `A batch of ${batchSize * shard.worldSize} cannot be made of ${table.length} rows; use a smaller batch size.`,
      );
    }
    this.depth = Math.max(2, Math.ceil((2 * numWorkers * PART) / batchSize));
    const kept = inmodal || device !== undefined ? 'whole' : geometryName(geometry);
    this.cacheFile = imageCache === undefined ? undefined : PixelFile.nameFile(imageCache, table.shared, size, kept);
    const cache = this.cacheFile ?? PixelCache.allocate(table.length, size, cacheBytes);
    const seen = new SharedArrayBuffer(Math.ceil(table.length / 8));
    const recipe = { pairs: table.shared, cache, size, geometry, contextLength, inmodal, pinned, compat, seed, seen };
    this.filler =
      numWorkers > 0 ? new WorkerPool(join(__dirname, 'loader_worker.js'), recipe, numWorkers) : ownThread(recipe);
  }

  /** The number of bad rows found so far. */
  get badRows(): number {
    return this.bad.size;
  }

  /** Yields the batches of epoch 0, see {@link PairLoader.epoch}. */
  [Symbol.asyncIterator](): AsyncIterator<Batch> {
    return this.epoch(0);
  }

  /**
   * Yields the batches of one epoch in order. The caller disposes each batch. Leaving the loop ends the loading.
   *
   * @param epoch seeds the order and the augmentations, together with the seed of the loader
   * @throws CleanclipError
   * - ERR_DATA: no image can be read, or more than `maxBadRows` (with `strict`: any) cannot; or a disk, the network or
   *   a worker thread fails
   * - ERR_ABORTED: the signal or `close` ended the loading
   * - ERR_OPTION: the loader is closed, or `startBatch` is invalid
   * - ERR_TORCH_OOM: there is not enough memory
   */
  async *epoch(epoch: number, { startBatch = 0, signal }: EpochOptions = {}): AsyncGenerator<Batch, void, undefined> {
    if (this.closed) throw optionError('This PairLoader is closed; make a new one.');
    checkInteger('startBatch', startBatch, { least: 0 });
    this.checkRoom();
    const { seed, shuffle, batchSize, shard } = this.options;
    const order = epochOrder(this.table.length, { seed, epoch, shuffle, shard });
    const run = new EpochRun(signal);
    this.runs.add(run);
    let next = startBatch;
    let index = startBatch;
    let yielded = 0;
    const loadAhead = (): void => {
      while (run.ahead.length < this.depth && next < this.batches) {
        run.add(this.load(batchRows(order, batchSize, next++), epoch, run));
      }
    };
    try {
      loadAhead();
      while (run.ahead.length > 0) {
        const loaded = await run.ahead[0];
        run.check();
        void run.ahead.shift();
        loadAhead();
        if (this.cacheFile !== undefined) this.warn(fullWarning(this.cacheFile));
        const batch = this.finish(loaded, index++);
        if (batch === undefined) continue;
        yielded += batch.rows.length;
        yield batch;
        run.check();
      }
      if (startBatch === 0 && yielded === 0 && this.firstBad) {
        throw dataError(
          `None of the images can be used; the first was row ${this.firstBad.row + 1}. ${this.firstBad.reason}`,
        );
      }
    } finally {
      this.runs.delete(run);
      await run.end();
    }
  }

  /** Stops loading and ends the worker threads. */
  async close(): Promise<void> {
    this.closed = true;
    const runs = [...this.runs];
    for (const run of runs)
      run.stop(new CleanclipError('The PairLoader was closed in the middle of an epoch.', 'ERR_ABORTED'));
    await Promise.all(runs.map((run) => run.end()));
    await this.filler.close();
  }

  private async load(rows: Int32Array, epoch: number, run: EpochRun): Promise<LoadedBatch> {
    const tensors = emptyTensors(rows.length, this.options);
    const fillPart = async (start: number): Promise<Pick<LoadedBatch, 'bad' | 'pictures'>> => {
      const part = rows.slice(start, start + PART);
      const tokens = shareRows(tensors, start, part.length);
      try {
        const { bad, pictures } = await this.filler.run({ epoch, rows: part, tokens, cancelled: run.cancelled });
        return {
          bad: bad.map(({ slot, reason }) => ({ slot: start + slot, reason })),
          pictures: pictures.map(takePicture),
        };
      } catch (error) {
        reclaimTokens(tokens);
        throw error;
      }
    };
    try {
      const parts = await Promise.all(
        Array.from({ length: Math.ceil(rows.length / PART) }, (_, i) => fillPart(i * PART)),
      );
      return {
        rows,
        tensors,
        bad: parts.flatMap(({ bad }) => bad),
        pictures: parts.flatMap(({ pictures }) => pictures),
      };
    } catch (error) {
      disposeTensors(tensors);
      throw error;
    }
  }

  /** Reports the bad rows and returns the good ones as a batch; undefined if there are none. */
  private finish(loaded: LoadedBatch, index: number): Batch | undefined {
    const { rows, tensors, pictures, bad } = loaded;
    try {
      for (const { slot, reason } of bad) this.report(rows[slot], reason);
    } catch (error) {
      disposeLoaded(loaded);
      throw error;
    }
    const badSlots = new Set(bad.map(({ slot }) => slot));
    const goodSlots = Int32Array.from(rows.keys()).filter((slot) => !badSlots.has(slot));
    if (goodSlots.length === 0 && this.options.shard.worldSize === 1) return disposeLoaded(loaded) as undefined;
    const good = bad.length === 0 ? tensors : selectRows(tensors, goodSlots);
    const all = 'pixels' in good ? good : { ...good, ...this.pixelsOf(pictures) };
    const goodRows = goodSlots.map((slot) => rows[slot]);
    const isBackdoor = Array.from(goodRows, (row) => this.table.isBackdoor(row));
    return { index, rows: goodRows, isBackdoor, ...all, dispose: () => disposeTensors(all) };
  }

  /** Makes the pixels of a batch on the device, and disposes the pictures. */
  private pixelsOf(pictures: Picture[]): Pick<Batch, 'pixels' | 'augmentedPixels'> {
    try {
      return pixelsOn(this.options.device!, pictures, this.options);
    } finally {
      disposePictures(pictures);
    }
  }

  private checkRoom(): void {
    if (this.cacheFile === undefined || this.roomChecked) return;
    this.roomChecked = true;
    this.warn(roomWarning(this.cacheFile, this.table.length));
  }

  private warn(warning: string | undefined): void {
    if (warning !== undefined) this.onWarning(warning);
  }

  private report(row: number, reason: string): void {
    if (this.options.strict) throw dataError(`Row ${row + 1} cannot be used. ${reason}`);
    if (this.bad.has(row)) return;
    const bad = { row, image: this.table.image(row), reason };
    this.bad.add(row);
    this.firstBad ??= bad;
    this.onBadRow(bad);
    if (this.bad.size <= this.maxBadRows) return;
    throw dataError(
      `${this.bad.size} images cannot be used, more than the ${this.maxBadRows} that may be left out; repair ` +
        'them, or allow more with --max_bad_rows (maxBadRows). ' +
        `The last was row ${row + 1}. ${reason}`,
    );
  }
}

const DEFAULTS = {
  contextLength: 77,
  numWorkers: 0,
  seed: 0,
  shuffle: true,
  dropLast: true,
  shard: WHOLE,
  geometry: {},
  squash: false,
  inmodal: false,
  compat: false,
  strict: false,
  cacheBytes: 2 ** 30,
  pinned: false,
};

/** Fills the parts in the calling thread, one after another. */
function ownThread(recipe: Recipe): Filler {
  const filler = new RowFiller(recipe);
  let last: Promise<unknown> = Promise.resolve();
  const run = (part: Part): Promise<Filled> => {
    const filling = last.then(() => filler.fill(part));
    last = filling.catch(() => {});
    return filling;
  };
  const close = async (): Promise<void> => {
    await last;
    filler.close();
  };
  return { run, close };
}
