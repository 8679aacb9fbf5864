import { join } from 'node:path';

import { checkOptions, CleanclipError, dataError, optionError } from '../errors';
import { geometryName, geometryOf } from '../images/preprocess_config';
import { show } from '../show';
import { type BadImage, type Batch, type EpochOptions, type PairLoaderOptions } from './batch';
import { disposeTensors, emptyTensors, reclaimTokens, selectRows, shareRows } from './batch_tensors';
import { EpochRun, type LoadedBatch } from './epoch_run';
import { PairTable } from './pairs';
import { PixelCache } from './pixel_cache';
import { fullWarning, PixelFile, roomWarning, type SharedPixelFile } from './pixel_file';
import { type BadSlot, type Part, type Recipe, RowFiller } from './row_filler';
import { batchCount, batchRows, epochOrder, shardLength, WHOLE } from './sampler';
import { WorkerPool } from './worker_pool';

export type { BadImage, Batch, EpochOptions, PairLoaderOptions } from './batch';

/** What fills parts: a pool of threads, or the calling thread. */
interface Filler {
  run(part: Part): Promise<BadSlot[]>;
  close(): Promise<void>;
}

const PART = 16; // rows in one message to a worker
const LEAST_BAD_ROWS = 100; // so many may be left out of any set
const BAD_SHARE = 0.01; // and of a large one this share of its rows

/**
 * Loads the pairs of a table batch by batch: decoded, resized and cropped images as uint8 (normalise them on the
 * device) and token ids. Worker threads write straight into the tensors of the batch, some batches ahead of the reader.
 * The same seed, epoch and rows give the same batches whatever the number of threads.
 *
 * ```ts
 * const loader = new PairLoader(table, { batchSize: 64, size: 224, numWorkers: 4 });
 * for await (const batch of loader.epoch(1)) { …; batch.dispose(); }
 * await loader.close();
 * ```
 */
export class PairLoader implements AsyncIterable<Batch> {
  /** batches an epoch */
  readonly batches: number;
  private readonly options: Required<Omit<PairLoaderOptions, 'onBadRow' | 'onWarning' | 'imageCache' | 'maxBadRows'>>;
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

  /** @throws CleanclipError ERR_OPTION: a number that makes no sense, or fewer rows than one batch */
  constructor(
    private readonly table: PairTable,
    given: PairLoaderOptions,
  ) {
    checkOptions('The second argument of PairLoader', given);
    const { onBadRow = () => {}, onWarning = () => {}, imageCache, maxBadRows, ...rest } = given;
    if (!(table instanceof PairTable))
      throw optionError(`PairLoader takes what readPairs gives, but got ${show(table)}.`);
    const options = { ...DEFAULTS, ...rest };
    const { batchSize, size, numWorkers, dropLast, shard, cacheBytes, contextLength, inmodal, compat, seed } = options;
    const geometry = geometryOf(options.squash ? { ...options.geometry, resizeMode: 'squash' } : options.geometry);
    checkCount('batchSize', batchSize, 1);
    checkCount('size', size, 1);
    checkCount('contextLength', contextLength, 0);
    checkCount('numWorkers', numWorkers, 0);
    if (maxBadRows !== undefined) checkCount('maxBadRows', maxBadRows, 0);
    this.maxBadRows = maxBadRows ?? Math.max(LEAST_BAD_ROWS, Math.floor(BAD_SHARE * shardLength(table.length, shard)));
    this.options = options;
    this.onBadRow = onBadRow;
    this.onWarning = onWarning;
    this.batches = batchCount(shardLength(table.length, shard), batchSize, dropLast);
    if (this.batches === 0) {
      throw optionError(
        `A batch of ${batchSize * shard.worldSize} cannot be made of ${table.length} rows; use a smaller batch size.`,
      );
    }
    this.depth = Math.max(2, Math.ceil((2 * numWorkers * PART) / batchSize));
    const kept = inmodal ? 'whole' : geometryName(geometry);
    this.cacheFile = imageCache === undefined ? undefined : PixelFile.nameFile(imageCache, table.shared, size, kept);
    const cache = this.cacheFile ?? PixelCache.allocate(table.length, size, cacheBytes);
    const seen = new SharedArrayBuffer(Math.ceil(table.length / 8));
    const recipe = { pairs: table.shared, cache, size, geometry, contextLength, inmodal, compat, seed, seen };
    this.filler =
      numWorkers > 0 ? new WorkerPool(join(__dirname, 'loader_worker.js'), recipe, numWorkers) : ownThread(recipe);
  }

  /** How many rows have turned out to be bad until now. */
  get badRows(): number {
    return this.bad.size;
  }

  /** The batches in order. */
  [Symbol.asyncIterator](): AsyncIterator<Batch> {
    return this.epoch(0);
  }

  /**
   * The batches of one epoch in order. The reader disposes of each. Leaving the loop ends the loading.
   *
   * @param epoch seeds the order and the augmentations, together with the seed of the loader
   * @throws CleanclipError ERR_DATA: no image could be read, or one could not with `strict`, or a worker thread died;
   *   ERR_ABORTED: by the signal or by `close`
   */
  async *epoch(epoch: number, { startBatch = 0, signal }: EpochOptions = {}): AsyncGenerator<Batch, void, undefined> {
    if (this.closed) throw optionError('This PairLoader is closed; make a new one.');
    checkCount('startBatch', startBatch, 0);
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

  /** Stops what is being loaded and ends the worker threads. */
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
    const fillPart = async (start: number): Promise<BadSlot[]> => {
      const part = rows.slice(start, start + PART);
      const tokens = shareRows(tensors, start, part.length);
      try {
        const bad = await this.filler.run({ epoch, rows: part, tokens, cancelled: run.cancelled });
        return bad.map(({ slot, reason }) => ({ slot: start + slot, reason }));
      } catch (error) {
        reclaimTokens(tokens);
        throw error;
      }
    };
    try {
      const parts = Array.from({ length: Math.ceil(rows.length / PART) }, (_, i) => fillPart(i * PART));
      return { rows, tensors, bad: (await Promise.all(parts)).flat() };
    } catch (error) {
      disposeTensors(tensors);
      throw error;
    }
  }

  /** The good rows as a batch, if there are any; reports the bad ones. */
  private finish({ rows, tensors, bad }: LoadedBatch, index: number): Batch | undefined {
    try {
      for (const { slot, reason } of bad) this.report(rows[slot], reason);
    } catch (error) {
      disposeTensors(tensors);
      throw error;
    }
    const badSlots = new Set(bad.map(({ slot }) => slot));
    const goodSlots = Int32Array.from(rows.keys()).filter((slot) => !badSlots.has(slot));
    if (goodSlots.length === 0 && this.options.shard.worldSize === 1) return disposeTensors(tensors) as undefined;
    const good = bad.length === 0 ? tensors : selectRows(tensors, goodSlots);
    const goodRows = goodSlots.map((slot) => rows[slot]);
    const isBackdoor = Array.from(goodRows, (row) => this.table.isBackdoor(row));
    return { index, rows: goodRows, isBackdoor, ...good, dispose: () => disposeTensors(good) };
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
      `${this.bad.size} images cannot be used, more than the ${this.maxBadRows} that may be left out; see to ` +
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
  const run = (part: Part): Promise<BadSlot[]> => {
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

function checkCount(name: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least) return;
  throw optionError(`${name} must be a whole number of at least ${least}, but is ${show(value)}.`);
}
