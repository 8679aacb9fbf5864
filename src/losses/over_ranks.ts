import { optionError } from '../errors';
import { torch } from '../torch';
import { checkFeatures, type CleanClipInput, type CleanClipLoss, cleanClipLoss } from './cleanclip';
import { type UnlearnInput, type UnlearnLoss, unlearnLoss } from './unlearn';

const { allGatherRows, getRank } = torch.distributed;

/**
 * The features of one rank, as {@link cleanClipLoss} takes them. With `isBackdoor`, which marks the pairs of all ranks,
 * the loss is {@link unlearnLoss}.
 */
export type RankInput = CleanClipInput & Partial<UnlearnInput>;

/** Options of {@link lossOverRanks}: how ranks that each have a part of a batch compute its loss. */
export interface OverRanks {
  /** number of pairs of each rank, by rank; the numbers may differ, and each is at least 1 */
  counts: readonly number[];
  /**
   * whether features get the gradients of all ranks' losses; the ranks then train as one process on the joined batch.
   * Default false, as in the Python reference
   */
  gatherWithGrad?: boolean;
  /**
   * whether a rank computes the similarities of only its own pairs with all pairs; needs `gatherWithGrad`; default
   * false
   */
  localLoss?: boolean;
}

/**
 * Computes the loss of the joined batch of all ranks, for gradients that are averaged over the ranks, as
 * `DistributedDataParallel` does. It blocks this thread until every rank has called it; with `gatherWithGrad` its
 * backward does so too.
 *
 * By default the features of other ranks are constants. The mean gradient is then that of one process on the joined
 * batch, divided by the number of ranks. Only the gradient of `logitScale` is not divided. With `gatherWithGrad` the
 * mean gradient is that of one process. `localLoss` gives the same with n·Σn similarities on a rank with n pairs, not
 * (Σn)².
 * @param input features of this rank, each float32 [n, D], with logit scale and weights
 * @returns the losses of the joined batch, each float32 [], the same on all ranks; with `localLoss` only `loss` has a
 * gradient, which is this rank's share
 * @throws CleanclipError `ERR_OPTION` for `localLoss` without `gatherWithGrad` or with `isBackdoor`, and as {@link
 * cleanClipLoss}; `ERR_DISTRIBUTED` when a rank has ended, hangs or does not come in time
 * @example
 * ```ts
 * const counts = [64, 64]; // pairs of rank 0 and of rank 1
 * const { loss } = lossOverRanks({ imageEmbeds, textEmbeds, logitScale: clip.logitScale }, { counts });
 * ```
 */
export function lossOverRanks(
  input: RankInput,
  { counts, gatherWithGrad = false, localLoss = false }: OverRanks,
): UnlearnLoss {
  const { isBackdoor } = input;
  const total = sum(counts);
  if (localLoss && !gatherWithGrad) {
    throw optionError(
      'localLoss needs gatherWithGrad: features would get no gradient from the pairs of other ranks. Give both ' +
        'or neither.',
    );
  }
  if (localLoss && isBackdoor !== undefined)
    throw optionError('localLoss does not go with unlearning, which takes the joined batch; leave it out.');
  if (isBackdoor !== undefined && isBackdoor.length !== total) {
    throw optionError(`isBackdoor must mark the ${total} pairs of all ranks, but it marks ${isBackdoor.length}.`);
  }
  const joined = joinFeatures(input, counts, gatherWithGrad ? 'all' : 'own');
  if (isBackdoor !== undefined) return unlearnLoss({ ...joined, isBackdoor });
  if (!localLoss) return cleanClipLoss(joined);
  const rank = getRank();
  const rows = { start: sum(counts.slice(0, rank)), length: counts[rank] };
  return joinLosses(cleanClipLoss(joined, rows), counts, rows.length / (total / counts.length));
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** Gathers the features of all ranks, in one exchange. */
function joinFeatures(input: RankInput, counts: readonly number[], gradient: 'own' | 'all'): RankInput {
  checkFeatures(input);
  const keys = (['imageEmbeds', 'textEmbeds', 'augmentedImageEmbeds', 'augmentedTextEmbeds'] as const).filter(
    (key) => input[key] !== undefined,
  );
  const own = torch.stack(
    keys.map((key) => input[key]!),
    1,
  ); // [n, kinds, D]
  const all = allGatherRows(own, counts, gradient); // [Σn, kinds, D]
  return { ...input, ...Object.fromEntries(keys.map((key, kind) => [key, all.select(1, kind)])) };
}

/**
 * Computes the losses of the joined batch from those of each rank's pairs. `loss` has the gradient of this rank.
 * @param share number of this rank's pairs, divided by the mean number over ranks; with this weight the mean over ranks
 * is the loss of the joined batch
 */
function joinLosses(parts: CleanClipLoss, counts: readonly number[], share: number): CleanClipLoss {
  const names = Object.keys(parts) as (keyof CleanClipLoss)[];
  const own = torch
    .stack(names.map((name) => parts[name]!.detach()))
    .mul(share)
    .unsqueeze(0);
  const values = allGatherRows(
    own,
    counts.map(() => 1),
    'own',
  )
    .mean([0])
    .unbind();
  const joined = Object.fromEntries(names.map((name, i) => [name, values[i]])) as unknown as CleanClipLoss;
  const loss = parts.loss.mul(share);
  return { ...joined, loss: loss.add(joined.loss.sub(loss.detach())) };
}
