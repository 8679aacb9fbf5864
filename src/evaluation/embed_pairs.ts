import type { Clip } from '../clip/model';
import type { BadImage, Batch } from '../data/batch';
import { PairLoader } from '../data/loader';
import type { PairTable } from '../data/pairs';
import { ownBatches } from '../data/sampler';
import { dataError } from '../errors';
import { embedBatch, type Embeds } from '../losses/embed_batch';
import { compatOf } from '../options/compat';
import type { BatchOptions } from '../options/slices';
import { fromAllRanks, ranks } from '../run/ranks';
import { torch } from '../torch';

/** Hooks of {@link embedPairs}. */
export interface PairHooks {
  signal?: AbortSignal;
  /** called once, at the end, when pairs were left out */
  warn(warning: string): void;
  /** called after each batch with the number of pairs that this rank has done, and that it has to do */
  onBatch?: (done: number, total: number) => void;
}

type Use = (embeds: Embeds, rows: Int32Array) => void;

/**
 * Runs every pair of a table through the model, in eval mode, without gradients, and in the order of the table. Pairs
 * whose image cannot be read are left out, or refused with `strict`. With several ranks each runs some of the batches,
 * and the first warns.
 * @param use receives the features of a batch and their rows in the table, inside a tidy scope
 * @throws CleanclipError `ERR_DATA` when an image cannot be read, with `strict`, or no image can
 */
export async function embedPairs(
  clip: Clip,
  table: PairTable,
  options: BatchOptions,
  { signal, warn, onBatch }: PairHooks,
  use: Use,
): Promise<void> {
  const own = ownBatches(table.length, options.batchSize, ranks());
  let done = 0;
  const embed = (batch: Batch, rows: Int32Array): void => {
    use(embedBatch(clip, batch, { start: 0, length: rows.length }), rows);
    onBatch?.((done += rows.length), own.length);
  };
  const bad = own.length === 0 ? [] : await eachBatch(clip, table, own, options, signal, embed);
  const all = (await fromAllRanks(bad)).flat().sort((a, b) => a.row - b.row);
  if (all.length === 0 || ranks().rank > 0) return;
  const [{ row, reason }] = all;
  warn(
    `${all.length} of ${table.length} pairs are left out, for their images cannot be read. The first is ` +
      `row ${row + 1}: ${reason}`,
  );
}

/**
 * Loads some rows of a table in their order, and hands their batches to `use`, with the model in eval mode and without
 * gradients.
 * @param own the rows of the table
 * @param use receives a batch and its rows in the table, inside a tidy scope
 * @returns the rows of the table that were left out, since their images cannot be read
 * @throws CleanclipError as {@link embedPairs}
 */
export async function eachBatch(
  clip: Clip,
  table: PairTable,
  own: Int32Array,
  options: BatchOptions,
  signal: AbortSignal | undefined,
  use: (batch: Batch, rows: Int32Array) => void,
): Promise<Pick<BadImage, 'row' | 'reason'>[]> {
  const { batchSize, numWorkers, strict } = options;
  const { imageSize: size, contextLength } = clip.config;
  const bad: Pick<BadImage, 'row' | 'reason'>[] = [];
  const onBadRow = ({ row, reason }: BadImage): void => {
    if (strict) throw dataError(`Row ${own[row] + 1} cannot be used. ${reason}`);
    bad.push({ row: own[row], reason });
  };
  const loading = {
    batchSize,
    numWorkers,
    size,
    geometry: clip.config,
    contextLength,
    compat: compatOf(options).cutsEndToken,
    onBadRow,
  };
  const loader = new PairLoader(table.select(own), { ...loading, shuffle: false, dropLast: false, cacheBytes: 0 });
  clip.eval();
  try {
    for await (const batch of loader.epoch(0, { signal })) {
      const rows = batch.rows.map((row) => own[row]);
      torch.tidy(() => torch.noGrad(() => use(batch, rows)));
      batch.dispose();
    }
  } finally {
    await loader.close();
  }
  return bad;
}
