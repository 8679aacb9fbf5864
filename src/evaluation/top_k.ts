import { sumOverRanks } from '../run/ranks';
import { type Tensor, torch } from '../torch';

/**
 * Counts how often the wanted class is among the first k, for several k. Among classes of equal score the lower index
 * comes first, as with torch.argmax. A score that is NaN is never among the first.
 */
export class TopK {
  readonly hits: Record<number, number> = {};
  total = 0;

  constructor(private readonly ks: readonly number[]) {
    for (const k of ks) this.hits[k] = 0;
  }

  /**
   * Counts the rows of a batch.
   * @param logits scores, [N, classes]
   * @param wanted index of the class that each row should have among its top k, [N]
   */
  add(logits: Tensor, wanted: readonly number[]): void {
    torch.tidy(() => {
      const classes = torch.arange(logits.shape[1], { dtype: 'int64', device: logits.device }); // [classes]
      // [N, 1]
      const index = torch.tensor(wanted, { dtype: 'int64', device: logits.device }).unsqueeze(1);
      const score = logits.gather(1, index);
      const before = logits
        .gt(score)
        .logical_or_(logits.eq(score).logical_and_(classes.lt(index)))
        .sum([1]); // [N]
      const ranked = before.masked_fill_(score.squeeze(1).isnan(), logits.shape[1]);
      for (const k of this.ks) this.hits[k] += ranked.lt(Math.min(k, logits.shape[1])).sum().item();
      this.total += logits.shape[0];
    });
  }

  /** Sums the counts of all ranks, on each of them. */
  async join(): Promise<void> {
    const { total, ...hits } = await sumOverRanks({ total: this.total, ...this.hits });
    this.total = total;
    Object.assign(this.hits, hits);
  }

  /** Returns the share of rows that had the wanted class among the first k. It is 0 without rows. */
  share(k: number): number {
    return this.total === 0 ? 0 : this.hits[k] / this.total;
  }

  /** Returns the shares of all k: `{<prefix>_top1: share, …}`. */
  shares(prefix: string): Record<string, number> {
    return Object.fromEntries(this.ks.map((k) => [`${prefix}_top${k}`, this.share(k)]));
  }
}
