const MARKS = /\p{M}{32,}/gu;
const ABOVE = '\u0301'; // of combining class 230
const OVERLAY = '\u0334'; // of class 1, the lowest

/** Whether normalization puts `b` before `a`: the combining class of `b` is lower, and not 0. */
const swaps = (a: string, b: string): boolean => (a + b).normalize('NFD') !== a + b;
/** Whether a mark has class 0: other marks do not move past it. */
const isFixed = (mark: string): boolean => !swaps(ABOVE, mark) && !swaps(mark, OVERLAY);

/** Sorts marks into their canonical order: by class, stably. None of them has class 0. */
function inOrder(marks: string[]): string[] {
  const kinds = [...new Set(marks)].sort((a, b) => (swaps(a, b) ? 1 : swaps(b, a) ? -1 : 0));
  const ranks = new Map<string, number>();
  let rank = 0;
  kinds.forEach((mark, i) =>
    ranks.set(mark, i > 0 && swaps(mark, kinds[i - 1]) !== swaps(kinds[i - 1], mark) ? ++rank : rank),
  );
  return marks.sort((a, b) => ranks.get(a)! - ranks.get(b)!);
}

/**
 * Puts long runs of combining marks into their canonical order in O(n log n). `normalize` would do so too, but takes
 * quadratic time for runs that are out of order.
 */
export function orderMarks(text: string): string {
  return text.replace(MARKS, (run) => {
    const ordered: string[] = [];
    let pending: string[] = [];
    const kinds = new Map<string, boolean>();
    for (const character of run) {
      for (const mark of character.normalize('NFD')) {
        let fixed = kinds.get(mark);
        if (fixed === undefined) kinds.set(mark, (fixed = isFixed(mark)));
        if (!fixed) pending.push(mark);
        else {
          for (const each of inOrder(pending)) ordered.push(each);
          ordered.push(mark);
          pending = [];
        }
      }
    }
    for (const each of inOrder(pending)) ordered.push(each);
    return ordered.join('');
  });
}
