import { type Tensor, torch } from '../torch';

/** Ranks of this many and more are not told apart. */
const FULL = 10;
/** Above so many pairs in a block whose order rounding could decide, those of one query are looked at in turn. */
const MANY_PAIRS = 2 ** 18;
const PAIRS_IN_TURN = 16;
const ROWS_IN_TURN = 8192;

/**
 * Counts, for each query, the candidates that come before the wanted one in the order of their similarity, up to 10.
 * Among candidates of equal similarity the lower index comes first.
 *
 * Similarities arrive in blocks, rounded to their dtype. Where the rounding could decide the order of two candidates,
 * both are computed again in float64. Counts are those of a computation in float64 throughout.
 */
export class RankCounter {
  /** candidates that were found before the wanted one, int64 [Q]; at 10 counting may have stopped */
  readonly before: Tensor;
  /** similarity of each query and its wanted candidate, float64 [Q] */
  private readonly score: Tensor;
  /** below `low` a similarity is certainly less than `score`, above `high` certainly more, [Q] */
  private readonly low: Tensor;
  private readonly high: Tensor;

  /**
   * @param queries float32 or float64 [Q, D]
   * @param candidates of the same dtype, [C, D]
   * @param wanted index of the candidate that each query should find, int64 [Q]
   */
  constructor(
    private readonly queries: Tensor,
    private readonly candidates: Tensor,
    private readonly wanted: Tensor,
  ) {
    const [count, width] = queries.shape;
    const { device } = queries;
    this.before = torch.zeros([count], { dtype: 'int64', device });
    this.score = dots(queries, candidates, torch.arange(count, { dtype: 'int64', device }), wanted);
    // A dot product of D terms is off by at most D roundings of |q|·|c| (Higham 2002, section 3.1); twice that is safe.
    const rounding = (queries.dtype === 'float64' ? 2 ** -53 : 2 ** -24) * 2 * (width + 4);
    const error = lengths(queries).mul(lengths(candidates).max()).mul(rounding);
    this.low = this.score.sub(error).to(queries.dtype);
    this.high = this.score.add(error).to(queries.dtype);
  }

  /**
   * Counts the similarities of some queries and some candidates.
   * @param similarities [q, c]
   * @param query index of the first query
   * @param candidate index of the first candidate
   */
  add(similarities: Tensor, query: number, candidate: number): void {
    torch.tidy(() => {
      const part = (tensor: Tensor): Tensor => tensor.narrow(0, query, similarities.shape[0]);
      const open = part(this.before)
        .lt(FULL)
        .logical_and_(similarities.amax([1]).ge(part(this.low)));
      const rows = open.nonzero().squeeze(1); // few: most queries are soon at 10, or find nothing as similar
      if (rows.shape[0] > 0) this.addRows(similarities.index_select(0, rows), rows.add(query), candidate);
    });
  }

  /** Counts the similarities of the queries of some indices, int64 [q]. */
  private addRows(similarities: Tensor, rows: Tensor, candidate: number): void {
    const { before } = this;
    const [low, high] = [this.low, this.high].map((bound) => bound.index_select(0, rows).unsqueeze(1));
    const open = (): Tensor => before.index_select(0, rows).lt(FULL).unsqueeze(1);
    before.index_add_(0, rows, similarities.gt(high).sum([1]));
    const unclear = similarities.ge(low).logical_and_(similarities.le(high)).logical_and_(open());
    for (;;) {
      let pairs = unclear.nonzero();
      const many = pairs.shape[0] > MANY_PAIRS; // as when all candidates are equal: few of them decide
      if (many) {
        const first = unclear.logical_and(unclear.cumsum(1).le(PAIRS_IN_TURN));
        unclear.logical_and_(first.logical_not());
        pairs = first.nonzero();
      }
      if (pairs.shape[0] > 0)
        this.addPairs(rows.index_select(0, pairs.select(1, 0)), pairs.select(1, 1).add(candidate));
      if (!many) return;
      unclear.logical_and_(open());
    }
  }

  /** Counts pairs of a query and a candidate by their similarities in float64: indices, int64 [P]. */
  private addPairs(query: Tensor, candidate: Tensor): void {
    const { before, candidates, queries, score, wanted } = this;
    const [theirs, own] = [dots(queries, candidates, query, candidate), score.index_select(0, query)];
    const lower = candidate.lt(wanted.index_select(0, query));
    const ahead = theirs.gt(own).logical_or_(theirs.eq(own).logical_and_(lower));
    before.index_add_(0, query, ahead.to('int64'));
  }

  /** Returns the percentage of queries whose wanted candidate is among the first `k`, at most 10. */
  recall(k: number): number {
    return torch.tidy(() => (100 * Number(this.before.lt(k).sum().item())) / this.before.shape[0]);
  }
}

const lengths = (rows: Tensor): Tensor => torch.ops.aten.linalg_vector_norm(rows, 2, [1]).to('float64');

/**
 * Computes dot products in float64. The result for a pair of rows depends on these rows alone.
 * @param a [A, D]
 * @param b [B, D]
 * @param ofA indices into `a`, int64 [P]
 * @param ofB indices into `b`, int64 [P]
 * @returns float64 [P]
 */
export function dots(a: Tensor, b: Tensor, ofA: Tensor, ofB: Tensor): Tensor {
  const count = ofA.shape[0];
  const parts = Array.from({ length: Math.ceil(count / ROWS_IN_TURN) }, (_, i) => {
    const start = i * ROWS_IN_TURN;
    const rows = (of: Tensor): Tensor => of.narrow(0, start, Math.min(ROWS_IN_TURN, count - start));
    return torch.tidy(() => {
      const [x, y] = [a.index_select(0, rows(ofA)), b.index_select(0, rows(ofB))];
      return x.to('float64').mul_(y.to('float64')).sum([1]);
    });
  });
  return torch.cat(parts);
}
