import type { Clip } from '../clip/model';
import { PairLoader } from '../data/loader';
import { type PairTable, readPairs } from '../data/pairs';
import type { PairHooks } from '../evaluation/embed_pairs';
import { compatOf } from '../options/compat';
import type { TrainingPairOptions } from '../options/slices';
import type { JobHooks } from '../progress';
import type { RunLog } from '../run/log';
import { ranks } from '../run/ranks';
import { removalPath, removeMostSimilar } from './removal';

/** The most unusable rows that the log names. */
const NAMED_BAD_ROWS = 100;

/** The pairs that a run trains on, and their loader. Progressive removal replaces both. */
export class TrainingPairs {
  private current: PairLoader | undefined;
  /** number of rows that this rank has left out so far */
  badRows = 0;

  constructor(
    private table: PairTable,
    private readonly clip: Clip,
    private readonly options: TrainingPairOptions,
    private readonly log: RunLog,
  ) {
    this.current = this.load(table);
  }

  /** The loader of the pairs that are left. */
  get loader(): PairLoader {
    return (this.current ??= this.load(this.table));
  }

  /** Drops the pairs of highest similarity, if progressive removal is due after this many epochs. */
  async removeAfter(epoch: number, { signal, onProgress }: JobHooks): Promise<void> {
    if (!this.options.progressive || !this.options.progressiveEpochs!.includes(epoch)) return;
    this.log.info(`Scoring ${this.table.length} pairs`);
    const hooks: PairHooks = {
      signal,
      warn: (text) => this.log.warning(`Removal: ${text}`),
      onBatch: (done, total) => onProgress?.({ type: 'progress', done, total, text: 'pairs scored' }),
    };
    const { path, kept, removed, removedBackdoor, totalBackdoor } = await removeMostSimilar(
      this.clip,
      this.table,
      this.options,
      epoch,
      hooks,
    );
    await this.current?.close();
    this.current = undefined; // it is made on demand, for after the last epoch too few pairs may be left for one
    this.table = this.table.select(kept);
    this.log.info(
      `Removed ${removed} pairs, ${removedBackdoor} of the ${totalBackdoor} poisoned; ${this.table.length} are ` +
        `left in '${path}'`,
    );
    this.log.metrics({
      type: 'removal',
      epoch,
      step: 0,
      removed,
      removed_backdoor: removedBackdoor,
      total_backdoor: totalBackdoor,
    });
  }

  /** Ends loading, and warns of pairs that could not be used. */
  async close(): Promise<void> {
    await this.current?.close();
    if (this.badRows > 0)
      this.log.warning(`${this.badRows} rows could not be used; the first ${NAMED_BAD_ROWS} at most are named above.`);
  }

  private load(table: PairTable): PairLoader {
    const shard = ranks();
    const { batchSize, numWorkers, seed, inmodal, augmentOn, strict, imageCache, maxBadRows } = this.options;
    return new PairLoader(table, {
      batchSize: batchSize / shard.worldSize,
      shard,
      size: this.clip.config.imageSize,
      geometry: this.clip.config,
      contextLength: this.clip.config.contextLength,
      numWorkers,
      seed,
      inmodal,
      compat: compatOf(this.options).cutsEndToken,
      strict,
      imageCache,
      maxBadRows,
      onWarning: (warning) => this.log.warning(warning),
      pinned: this.clip.device !== 'cpu',
      device: augmentOn === 'device' ? this.clip.device : undefined,
      onBadRow: ({ row, reason }) => {
        if (++this.badRows <= NAMED_BAD_ROWS) this.log.warning(`Row ${row + 1} is skipped: ${reason}`);
      },
    });
  }
}

/** Returns the pairs that a resumed run continues with: those that its last removal left, or all. */
export async function pairsAt(
  { epoch, batch }: { epoch: number; batch: number },
  all: PairTable,
  options: TrainingPairOptions,
  hooks: JobHooks,
): Promise<PairTable> {
  const done = (options.progressiveEpochs ?? []).filter((e) => e < epoch || (e === epoch && batch > 0));
  return options.progressive && done.length > 0
    ? readPairs(removalPath(options, Math.max(...done)), { ...options, columns: undefined }, hooks)
    : all;
}
