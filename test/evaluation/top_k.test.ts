import { TopK } from '../../src/evaluation/top_k';
import { torch } from '../../src/torch';

describe('TopK', () => {
  test('counts the rows that have the wanted class among the first k', () => {
    const counts = new TopK([1, 2, 10]);
    counts.add(
      torch.tensor([
        [3, 2, 1],
        [1, 2, 3],
        [2, 3, 1],
      ]),
      [0, 1, 2],
    );
    counts.add(torch.tensor([[1, 2, 3]]), [2]);
    expect(counts.shares('asr')).toEqual({ asr_top1: 2 / 4, asr_top2: 3 / 4, asr_top10: 1 });
  });

  test('puts the lower number first among classes of equal score', () => {
    const counts = new TopK([1, 2, 3, 4]);
    const scores = torch.tensor([[1, 5, 5, 5]]);
    for (const wanted of [1, 2, 3, 0]) counts.add(scores, [wanted]);
    expect([1, 2, 3, 4].map((k) => counts.hits[k])).toEqual([1, 2, 3, 4]);
  });

  test('never has a score that is NaN among the first', () => {
    const counts = new TopK([1, 3]);
    counts.add(
      torch.tensor([
        [NaN, 1, NaN],
        [NaN, 1, NaN],
      ]),
      [0, 1],
    );
    expect(counts.shares('x')).toEqual({ x_top1: 0.5, x_top3: 0.5 });
  });

  test('gives 0 for no rows', () => {
    expect(new TopK([1]).shares('x')).toEqual({ x_top1: 0 });
  });
});
