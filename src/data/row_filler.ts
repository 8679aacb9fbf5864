import { autoAugment } from '../augment/autoaugment';
import { eda } from '../augment/eda';
import { CleanclipError } from '../errors';
import { faultOf } from '../images/faults';
import { decodeImage } from '../images/image';
import { resizeCrop, resizedTo } from '../images/preprocess';
import type { Geometry } from '../images/preprocess_config';
import { Random } from '../random';
import { tokenIds } from '../text/tokenizer';
import { type Tensor, torch } from '../torch';
import { type BatchTokens, disposeTensors, type FilledTensors, takeTensors } from './batch_tensors';
import { PairTable, type SharedPairs } from './pairs';
import { type SharedPicture, sharePicture, takePicture } from './pictures';
import { type Found, PixelCache, type SharedPixels } from './pixel_cache';
import { PixelFile, type SharedPixelFile } from './pixel_file';

/** How a loader makes tensors from rows; see `PairLoaderOptions`. It can be sent to a worker thread. */
export interface Recipe {
  pairs: SharedPairs;
  /** cache of decoded images; null: none */
  cache: SharedPixels | SharedPixelFile | null;
  size: number;
  geometry: Geometry;
  contextLength: number;
  inmodal: boolean;
  /** whether pictures are in pinned memory */
  pinned: boolean;
  compat: boolean;
  seed: number;
  /** one bit per row, shared by all threads: 1 after its image was read */
  seen: SharedArrayBuffer;
}

/** A part of a batch, which a worker fills. */
export interface Part {
  epoch: number;
  /** indices of the rows in the table */
  rows: Int32Array;
  /** tokens of the tensors to fill */
  tokens: BatchTokens;
  /** int32 [1]: set to 1 when the part is no longer needed */
  cancelled: SharedArrayBuffer;
}

/** A row whose image cannot be read. */
export interface BadSlot {
  /** index of the row in its part */
  slot: number;
  reason: string;
}

/** The result of a part: its bad slots, and the pictures of the others where a device makes the pixels. */
export interface Filled {
  bad: BadSlot[];
  pictures: SharedPicture[];
}

/** A cache of decoded images by row; `path` is that of the image file. */
interface ImageStore {
  find(row: number, path: string): Found;
  close?(): void;
}

/**
 * A decoded image, with a function that stores it unless the cache has it, and its augmented view where a column names
 * one; or the reason why there is none.
 */
type Loaded = Found & { image: Tensor; view?: Tensor };
type Decoded = Loaded | { reason: string };

/** Decodes, augments and tokenizes the rows of parts, in the calling thread. */
export class RowFiller {
  private readonly table: PairTable;
  private readonly cache: ImageStore | null;
  private readonly seen: Uint8Array;

  constructor(private readonly recipe: Recipe) {
    this.table = new PairTable(recipe.pairs);
    const { cache } = recipe;
    this.seen = new Uint8Array(recipe.seen);
    this.cache = cache && ('path' in cache ? new PixelFile(cache) : new PixelCache(cache));
  }

  /** Closes the file of the cache, if it has one. */
  close(): void {
    this.cache?.close?.();
  }

  /**
   * Fills the tensors of a part, except for the bad slots, which it returns. The next image is decoded while the
   * current one is resized and augmented.
   */
  async fill({ epoch, rows, tokens, cancelled }: Part): Promise<Filled> {
    const tensors = takeTensors(tokens);
    const isCancelled = (): boolean => Atomics.load(new Int32Array(cancelled), 0) === 1;
    const filled: Filled = { bad: [], pictures: [] };
    try {
      if (isCancelled()) return filled;
      const randoms = Array.from(rows, (row) => new Random(this.recipe.seed, epoch, row));
      if (this.recipe.contextLength > 0) this.fillTexts(epoch, rows, randoms, tensors, isCancelled);
      let next: Promise<Decoded> | undefined = this.decode(rows[0]);
      for (let slot = 0; next; slot++) {
        const decoded: Decoded = await next;
        next = slot + 1 < rows.length && !isCancelled() ? this.decode(rows[slot + 1]) : undefined;
        const reason =
          'reason' in decoded
            ? decoded.reason
            : this.fillPixels(decoded, slot, rows[slot], randoms[slot], tensors, filled.pictures);
        if (reason !== undefined) filled.bad.push({ slot, reason });
      }
      return filled;
    } catch (error) {
      for (const picture of filled.pictures) takePicture(picture).image.dispose();
      throw error;
    } finally {
      disposeTensors(tensors);
    }
  }

  private async decode(row: number): Promise<Decoded> {
    try {
      const path = this.table.image(row);
      const { image, keep } = this.cache?.find(row, path) ?? {};
      const { size, geometry } = this.recipe;
      const limits = { resizedTo: resizedTo(size, geometry) };
      const augmented = this.recipe.inmodal ? this.table.augmentedImage(row) : undefined;
      const view = augmented === undefined ? undefined : await decodeImage(augmented, limits);
      const decoded = image ?? (await decodeImage(path, limits));
      Atomics.or(this.seen, row >> 3, 1 << (row & 7));
      return { image: decoded, keep, view };
    } catch (error) {
      return { reason: this.reasonToSkip(row, error) };
    }
  }

  /**
   * Returns the reason why a row is left out. Throws if the error is not the fault of the row, because the training set
   * must not depend on temporary failures.
   */
  private reasonToSkip(row: number, error: unknown): string {
    const fault = faultOf(error);
    const wasRead = ((Atomics.load(this.seen, row >> 3) >> (row & 7)) & 1) === 1;
    const { message, code = 'ERR_DATA' } = error as CleanclipError;
    if (fault === 'machine')
      throw new CleanclipError(`Row ${row + 1} cannot be loaded, though its image may be good. ${message}`, code, {
        cause: error,
      });
    if (fault === 'path' && wasRead)
      throw new CleanclipError(
        `The image of row ${row + 1} was read before and is gone; restore it and resume. ${message}`,
        code,
        { cause: error },
      );
    return message;
  }

  private fillTexts(
    epoch: number,
    rows: Int32Array,
    randoms: Random[],
    { ids, augmentedIds }: FilledTensors,
    isCancelled: () => boolean,
  ): void {
    const { contextLength, compat } = this.recipe;
    const captions = Array.from(rows, (row) => this.caption(row, epoch));
    const write = (textOf: (i: number) => string, target: Tensor): void => {
      const all = new BigInt64Array(rows.length * contextLength);
      for (let i = 0; i < rows.length && !isCancelled(); i++)
        all.set(tokenIds([textOf(i)], contextLength, { compat }), i * contextLength);
      torch.tidy(() => void target.copy_(torch.tensor(all, { shape: target.shape })));
    };
    write((i) => captions[i], ids);
    const viewOf = (i: number): string =>
      this.table.augmentedCaption(rows[i]) ?? eda(captions[i], { random: randoms[i] });
    if (augmentedIds) write(viewOf, augmentedIds);
  }

  /** The caption of a row in an epoch: one of several is drawn by a stream of its own, so no other draw changes. */
  private caption(row: number, epoch: number): string {
    const captions = this.table.captions(row);
    return captions.length === 1 ? captions[0] : new Random(this.recipe.seed, epoch, row, 1).choice(captions);
  }

  /**
   * Writes an image into its slot, or appends its picture where a device makes the pixels, and disposes the image.
   * Returns the reason if it cannot be used.
   */
  private fillPixels(
    { image, keep, view }: Loaded,
    slot: number,
    row: number,
    random: Random,
    tensors: FilledTensors,
    pictures: SharedPicture[],
  ): string | undefined {
    const { size, geometry, inmodal, pinned } = this.recipe;
    try {
      torch.tidy(() => {
        if (!('pixels' in tensors)) {
          keep?.(image);
          pictures.push(sharePicture(image, { size, geometry, random: inmodal ? random : undefined, pinned }));
          return;
        }
        const resized = resizeCrop(image, size, geometry); // [3, size, size]
        tensors.pixels.select(0, slot).copy_(resized);
        const augmented = (): Tensor => resizeCrop(view ?? autoAugment(image, { random }), size, geometry);
        tensors.augmentedPixels?.select(0, slot).copy_(augmented());
        keep?.(inmodal ? image : resized);
      });
      return undefined;
    } catch (error) {
      return this.reasonToSkip(row, error);
    } finally {
      image.dispose();
      view?.dispose();
    }
  }
}
