import { tokenIds } from '../../../src/text/tokenizer';
import { captions } from '../captions';
import { python } from '../python';
import type { Part, Row } from './row';

const LENGTH = 77;

/** How many captions get other ids here. */
export function tokenPart(count: number, compat: boolean, against: 'torch' | 'reference'): Part {
  const given = captions(count, 3);
  const { ids: expected } = python('text.py', {
    captions: given,
    context_length: LENGTH,
    end_last: !compat,
    against,
  }) as { ids: number[][] };
  const ids = tokenIds(given, LENGTH, { compat });
  const differing = expected.filter((row, i) => row.some((id, j) => Number(ids[i * LENGTH + j]) !== id));
  return {
    part: compat
      ? 'differing captions, cut as --compat reference does'
      : 'differing captions, cut with the end token last',
    cases: expected.length,
    measured: differing.length,
    limit: 0,
  };
}

export const tokens: Row = {
  name: 'tokens',
  what:
    'token ids of captions: plain, accents, CJK, right to left, emoji, mojibake, HTML, control characters, up ' +
    'to 340 words',
  reference: true,
  measure: (against) =>
    against === 'reference'
      ? [tokenPart(20_000, true, against)]
      : [true, false].map((compat) => tokenPart(20_000, compat, against)),
};
