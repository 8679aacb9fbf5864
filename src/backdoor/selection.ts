import type { PairTable } from '../data/pairs';
import { dataError, optionError } from '../errors';
import { Random } from '../random';

/** Rows of a pair table, as indices from 0. */
export interface Selection {
  /** rows to poison, in random order */
  poisoned: number[];
  /** rows to poison instead of unreadable ones, in the order of use */
  spare: number[];
  /** returns the rows to keep unchanged, in the order of the table, given the rows that were poisoned */
  untouched: (poisoned: readonly number[]) => number[];
}

/**
 * Picks `count` random rows to poison, and `size - count` other rows to keep.
 *
 * @param word poison only rows whose caption contains this word; default: all rows
 * @throws CleanclipError ERR_OPTION: `size` is above the number of rows, or `count` above `size`; ERR_DATA: too few
 * captions contain the word
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
      `--num_backdoor is ${count}, but only ${candidates.length} captions contain the word "${word}": ` +
        'choose a smaller --num_backdoor or another --label, or leave --label_consistent out.',
    );
  }
  const untouched = (poisoned: readonly number[]): number[] => {
    const taken = new Set(poisoned);
    const others = order.filter((row) => !taken.has(row)).slice(0, size - count);
    return others.sort((a, b) => a - b);
  };
  return { poisoned: candidates.slice(0, count), spare: candidates.slice(count), untouched };
}

/** Whether the text contains the whole word (or words), in any case: "Banana!" contains banana, "bananas" does not. */
export function hasWord(text: string, word: string): boolean {
  const letters = word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`(?<![\\p{L}\\p{N}_])${letters}(?![\\p{L}\\p{N}_])`, 'iu').test(text);
}
