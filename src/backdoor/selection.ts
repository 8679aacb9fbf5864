import type { PairTable } from '../data/pairs';
import { dataError, optionError } from '../errors';
import { Random } from '../random';

/** Rows of a pair table: those to poison, in random order, and those to keep as they are, in the order of the table. */
export interface Selection {
  poisoned: number[];
  /** spare rows to poison instead of unreadable ones, in the order to take them */
  spare: number[];
  /** returns the other rows of the set once these rows are poisoned */
  untouched: (poisoned: readonly number[]) => number[];
}

/**
 * Picks the rows to poison at random, and `size` rows in all.
 *
 * @param word poison only rows whose caption has this word
 * @throws CleanclipError ERR_OPTION: `size` above the table, `count` above `size`; ERR_DATA: too few captions with the
 * word
 */
export function selectRows(table: PairTable, size: number, count: number, seed: number, word?: string): Selection {
  if (size > table.length) {
    throw optionError(
      `--size_train_data is ${size}, but the training data has ${table.length} usable rows: expected at most ` +
        'that many.',
    );
  }
  if (count > size) {
    throw optionError(`--num_backdoor is ${count}, but the poisoned set has ${size} rows: expected at most that many.`);
  }
  const order = new Random(seed).shuffle(Array.from({ length: table.length }, (_, row) => row));
  const candidates = word === undefined ? order : order.filter((row) => hasWord(table.caption(row), word));
  if (candidates.length < count) {
    throw dataError(
      `--num_backdoor is ${count}, but only ${candidates.length} captions have the word "${word}": ` +
        'choose fewer, another --label, or leave --label_consistent out.',
    );
  }
  const untouched = (poisoned: readonly number[]): number[] => {
    const taken = new Set(poisoned);
    const others = order.filter((row) => !taken.has(row)).slice(0, size - count);
    return others.sort((a, b) => a - b);
  };
  return { poisoned: candidates.slice(0, count), spare: candidates.slice(count), untouched };
}

/** Whether the text has the word (or words) whole, in any case: "Banana!" has banana, "bananas" has not. */
export function hasWord(text: string, word: string): boolean {
  const letters = word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`(?<![\\p{L}\\p{N}_])${letters}(?![\\p{L}\\p{N}_])`, 'iu').test(text);
}
