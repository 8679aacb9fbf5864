import type { Clip } from '../clip/model';
import { PairLoader } from '../data/loader';
import { type PairTable, readPairs } from '../data/pairs';
import { compatOf } from '../options/compat';
import type { TrainOptions } from '../options/train';
import type { RunLog } from '../run/log';
import { ranks } from '../run/ranks';
import { removalPath, removeMostSimilar } from './removal';

/** How many rows that cannot be used the log names. */
const NAMED_BAD_ROWS = 100;

/** The pairs that a run trains on, and their loader. Progressive removal replaces both. */
export class TrainingPairs {
  private current: PairLoader | undefined;
  /** rows that were left out until now, of this rank */
  badRows = 0;

  constructor(
    private table: PairTable,
    private readonly clip: Clip,
    private readonly options: TrainOptions,
    private readonly log: RunLog,
  ) {
    this.current = this.load(table);
  }

  /** Of the pairs that are left. */
  get loader(): PairLoader {
    return (this.current ??= this.load(this.table));
  }

  /** Drops the pairs of highest similarity where progressive removal is due once `epoch` epochs are done. */
  async removeAfter(epoch: number, signal?: AbortSignal): Promise<void> {
    if (!this.options.progressive || !this.options.progressiveEpochs!.includes(epoch)) return;
    this.log.info(`Scoring ${this.table.length} pairs`);
    const hooks = { signal, warn: (text: string) => this.log.warning(`Removal: ${text}`) };
    const { path, kept, removed, removedBackdoor, totalBackdoor } = await removeMostSimilar(
      this.clip,
      this.table,
      this.options,
      epoch,
      hooks,
    );
    await this.current?.close();
    this.current = undefined; // after the last epoch there may be too few for another
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

  /** Ends the loading, and warns of pairs that could not be used. */
  async close(): Promise<void> {
    await this.current?.close();
    if (this.badRows > 0)
      this.log.warning(`${this.badRows} rows could not be used; the first ${NAMED_BAD_ROWS} at most are named above.`);
  }

  private load(table: PairTable): PairLoader {
    const shard = ranks();
    const { batchSize, numWorkers, seed, inmodal, strict, imageCache, maxBadRows } = this.options;
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
      onBadRow: ({ row, reason }) => {
        if (++this.badRows <= NAMED_BAD_ROWS) this.log.warning(`Row ${row + 1} is skipped: ${reason}`);
      },
    });
  }
}

/** The pairs that a resumed run goes on with: those its last removal left, or all. */
export async function pairsAt(
  { epoch, batch }: { epoch: number; batch: number },
  all: PairTable,
  options: TrainOptions,
): Promise<PairTable> {
  const done = (options.progressiveEpochs ?? []).filter((e) => e < epoch || (e === epoch && batch > 0));
  return options.progressive && done.length > 0
    ? readPairs(removalPath(options, Math.max(...done)), { ...options, columns: undefined })
    : all;
}
