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
import { type BatchTensors, type BatchTokens, disposeTensors, takeTensors } from './batch_tensors';
import { PairTable, type SharedPairs } from './pairs';
import { type Found, PixelCache, type SharedPixels } from './pixel_cache';
import { PixelFile, type SharedPixelFile } from './pixel_file';

/** How rows become tensors: the same for all rows of a loader. It can be sent to a worker thread. */
export interface Recipe {
  pairs: SharedPairs;
  /** where decoded images are kept */
  cache: SharedPixels | SharedPixelFile | null;
  size: number;
  /** how images become squares */
  geometry: Geometry;
  /** ids a caption; 0: captions are not read */
  contextLength: number;
  inmodal: boolean;
  compat: boolean;
  seed: number;
  /** a bit a row, shared by all threads: 1 once its image has been read */
  seen: SharedArrayBuffer;
}

/** A part of a batch: rows, and tokens of the tensors that they fill. */
export interface Part {
  epoch: number;
  rows: Int32Array;
  tokens: BatchTokens;
  /** int32 [1]: set to 1 when nobody wants the part any more */
  cancelled: SharedArrayBuffer;
}

/** A row whose image could not be read: its place in the part. */
export interface BadSlot {
  slot: number;
  reason: string;
}

/** Decoded images by row; the path is that of the image's file. */
interface ImageStore {
  find(row: number, path: string): Found;
  close?(): void;
}

/** An image, and what stores it unless it came from there; or why there is none. */
type Decoded = (Found & { image: Tensor }) | { reason: string };

/** Decodes, augments and tokenises the rows of parts, in the thread that calls it. */
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

  /** Closes the file of decoded images, if there is one. */
  close(): void {
    this.cache?.close?.();
  }

  /**
   * Fills the tensors of a part, except for the slots it returns. The next image is decoded while this one is worked
   * on.
   */
  async fill({ epoch, rows, tokens, cancelled }: Part): Promise<BadSlot[]> {
    const tensors = takeTensors(tokens);
    const isCancelled = (): boolean => Atomics.load(new Int32Array(cancelled), 0) === 1;
    const bad: BadSlot[] = [];
    try {
      if (isCancelled()) return bad;
      const randoms = Array.from(rows, (row) => new Random(this.recipe.seed, epoch, row));
      if (this.recipe.contextLength > 0) this.fillTexts(rows, randoms, tensors, isCancelled);
      let next: Promise<Decoded> | undefined = this.decode(rows[0]);
      for (let slot = 0; next; slot++) {
        const decoded: Decoded = await next;
        next = slot + 1 < rows.length && !isCancelled() ? this.decode(rows[slot + 1]) : undefined;
        const reason =
          'reason' in decoded ? decoded.reason : this.fillPixels(decoded, slot, rows[slot], randoms[slot], tensors);
        if (reason !== undefined) bad.push({ slot, reason });
      }
      return bad;
    } finally {
      disposeTensors(tensors);
    }
  }

  private async decode(row: number): Promise<Decoded> {
    try {
      const path = this.table.image(row);
      const { image, keep } = this.cache?.find(row, path) ?? {};
      const { size, geometry } = this.recipe;
      const decoded = image ?? (await decodeImage(path, { resizedTo: resizedTo(size, geometry) }));
      Atomics.or(this.seen, row >> 3, 1 << (row & 7));
      return { image: decoded, keep };
    } catch (error) {
      return { reason: this.reasonToSkip(row, error) };
    }
  }

  /** Why a row is left out. Throws where the row is not to blame: the training set must not depend on the moment. */
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
        `The image of row ${row + 1} was read before and is gone; bring it back and go on. ${message}`,
        code,
        { cause: error },
      );
    return message;
  }

  private fillTexts(
    rows: Int32Array,
    randoms: Random[],
    { ids, augmentedIds }: BatchTensors,
    isCancelled: () => boolean,
  ): void {
    const { contextLength, compat } = this.recipe;
    const captions = Array.from(rows, (row) => this.table.caption(row));
    const write = (textOf: (i: number) => string, target: Tensor): void => {
      const all = new BigInt64Array(rows.length * contextLength);
      for (let i = 0; i < rows.length && !isCancelled(); i++)
        all.set(tokenIds([textOf(i)], contextLength, { compat }), i * contextLength);
      torch.tidy(() => void target.copy_(torch.tensor(all, { shape: target.shape })));
    };
    write((i) => captions[i], ids);
    if (augmentedIds) write((i) => eda(captions[i], { random: randoms[i] }), augmentedIds);
  }

  /** Disposes of the image. Returns why it cannot be used, if so. */
  private fillPixels(
    { image, keep }: Found & { image: Tensor },
    slot: number,
    row: number,
    random: Random,
    tensors: BatchTensors,
  ): string | undefined {
    const { size, geometry, inmodal } = this.recipe;
    try {
      torch.tidy(() => {
        const resized = resizeCrop(image, size, geometry); // [3, size, size]
        tensors.pixels.select(0, slot).copy_(resized);
        tensors.augmentedPixels?.select(0, slot).copy_(resizeCrop(autoAugment(image, { random }), size, geometry));
        keep?.(inmodal ? image : resized);
      });
      return undefined;
    } catch (error) {
      return this.reasonToSkip(row, error);
    } finally {
      image.dispose();
    }
  }
}
