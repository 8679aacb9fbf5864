import { existsSync, rmdirSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';

import { sampleKey, shardName, type TarFile, writeTar } from '../data/shard_writer';
import { asWriteError, removeLeftovers } from '../files';
import { makeFolder } from '../folders';
import { EarlierTar } from './earlier_tar';
import type { Journal, Outcome } from './journal';
import { hashName, type NameOf } from './names';
import type { UrlRow, UrlTable } from './url_table';

/** Where a download into shards keeps its files, and which rows it takes. */
export interface ShardPlan {
  /** folder of the tars */
  shards: string;
  /** folder of images whose shard is not full yet */
  images: string;
  /** number of rows of the file in a shard */
  perShard: number;
  /** first row of this run, and the one before which it ends */
  start: number;
  end: number;
}

/** Names an image by its shard and URL: a shard has all its images in one folder, and shares none with another. */
export const shardImageName =
  (perShard: number): NameOf =>
  (url, row) =>
    `${shardName(Math.floor(row / perShard))}/${hashName(url)}`;

/**
 * Packs the images of a download into tars of a WebDataset: `00000.tar` has rows 0 to `perShard` - 1, and so on. A
 * shard is written when all its rows are done, and its images are removed then. A tar that is there is written anew
 * when a later run has found more of its rows. Each tar appears whole.
 */
export class ShardPacker {
  private readonly remaining = new Map<number, number>(); // rows of a shard that are not done
  private ended = false;
  private complete = false;
  private wake: () => void = () => {};
  /** number of rows of the range whose image is gone since it was downloaded; a later run asks for them */
  lost = 0;

  constructor(
    private readonly plan: ShardPlan,
    private readonly table: UrlTable,
    private readonly journal: Journal,
    private readonly nameOf: NameOf,
  ) {}

  /** Takes notice that a row has an outcome. */
  done(row: number): void {
    const shard = this.shardOf(row);
    this.remaining.set(shard, this.left(shard) - 1);
    if (this.left(shard) === 0) this.wake();
  }

  /** Whether the tar of an image is there. */
  has(image: string): boolean {
    return existsSync(join(this.plan.shards, dirname(image)));
  }

  /**
   * Lets a shard be written, anew if it is there, because a row of it gets an image. It must be called before the
   * journal says so: then the row is packed even if the process is killed in between.
   */
  reopen(row: number): void {
    makeFolder(join(this.plan.images, shardName(this.shardOf(row))));
  }

  /** Packs every shard of the range, in order, each once all its rows are done. Ends early after {@link end}. */
  async run(): Promise<void> {
    removeLeftovers(this.plan.shards);
    for await (const { shard, rows } of this.shards()) {
      while (this.left(shard) > 0 && !this.ended && !this.complete)
        await new Promise<void>((resolve) => (this.wake = resolve));
      if (this.ended) return;
      this.remaining.delete(shard);
      await this.pack(shardName(shard), rows);
    }
  }

  /** Takes notice that all rows of the range are done, even if the file has become shorter. */
  allDone(): void {
    this.complete = true;
    this.wake();
  }

  /** Packs no more shards than the one that is being written. */
  end(): void {
    this.ended = true;
    this.wake();
  }

  /** Removes the folder of waiting images, if none waits. */
  tidy(): void {
    try {
      rmdirSync(this.plan.images);
    } catch {
      // images wait there for rows that are not done
    }
  }

  private left(shard: number): number {
    const { perShard, start, end } = this.plan;
    const rows = Math.min((shard + 1) * perShard, end) - Math.max(shard * perShard, start);
    return this.remaining.get(shard) ?? rows;
  }

  private readonly shardOf = (row: number): number => Math.floor(row / this.plan.perShard);

  /** Yields all rows of each shard that has rows of the range, so that none is lost when its tar is written anew. */
  private async *shards(): AsyncGenerator<{ shard: number; rows: UrlRow[] }> {
    const { perShard, start, end } = this.plan;
    const range = { start: this.shardOf(start) * perShard, end: (this.shardOf(end - 1) + 1) * perShard };
    let rows: UrlRow[] = [];
    for await (const group of this.table.rows(range)) {
      for (const row of group) {
        if (rows.length > 0 && this.shardOf(row.row) > this.shardOf(rows[0].row)) {
          yield { shard: this.shardOf(rows[0].row), rows };
          rows = [];
        }
        rows.push(row);
      }
    }
    if (rows.length > 0) yield { shard: this.shardOf(rows[0].row), rows };
  }

  private async pack(name: string, rows: UrlRow[]): Promise<void> {
    const folder = join(this.plan.images, name);
    const tar = join(this.plan.shards, name);
    const isThere = existsSync(tar);
    if (isThere && !existsSync(folder)) return;
    const found = rows.flatMap((row) => {
      const outcome = this.journal.current(row, this.nameOf);
      return outcome === undefined || outcome.image === '' ? [] : [{ ...row, outcome }];
    });
    if (found.length === 0) return;
    const before = isThere ? new EarlierTar(tar) : undefined;
    try {
      await writeTar(tar, this.files(found, before));
      await this.journal.sync();
      rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      throw asWriteError(tar, error);
    } finally {
      before?.close();
    }
  }

  private async *files(rows: readonly PackedRow[], before?: EarlierTar): AsyncGenerator<TarFile> {
    for (const { row, url, caption, outcome } of rows) {
      const content = (await readIfThere(join(this.plan.images, outcome.image))) ?? before?.read(url);
      if (content === undefined) {
        this.journal.add(row, { ...outcome, name: '', image: '', error: 'its image is gone; the next run asks again' });
        if (row >= this.plan.start && row < this.plan.end) this.lost++;
        continue;
      }
      const { width, height } = outcome;
      const key = sampleKey(row);
      yield { path: key + extname(outcome.image), content };
      yield { path: `${key}.txt`, content: caption };
      yield { path: `${key}.json`, content: JSON.stringify({ url, width, height }) };
    }
  }
}

/** A row that has an image. */
interface PackedRow extends UrlRow {
  outcome: Outcome;
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    const content = await readFile(path);
    return content.length > 0 ? content : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
