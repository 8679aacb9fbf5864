import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import { mergeLong } from './merge_piece';

const VOCABULARY_FILE = join(__dirname, '../../data/bpe_simple_vocab_16e6.txt.gz');
const MERGES = 49152 - 256 - 2;
const END_OF_WORD = 256;
const FIRST_MERGED = 512;
const CACHED_WORDS = 65536;
const LONGEST_CACHED = 48; // characters per word
const LONG_PIECE = 64; // bytes; shorter pieces merge faster in rounds, longer ones with a heap

/** Id of the token that starts every text. */
export const START_TOKEN = FIRST_MERGED + MERGES;
/** Id of the token that ends every text; the highest, 49407. */
export const END_TOKEN = START_TOKEN + 1;

/**
 * Splits a word into pieces that merges do not cross: special tokens, English endings, runs of letters, single digits,
 * runs of anything else. As in Python's case-insensitive matching, `ſ` folds to `s` and U+0345 belongs to no class.
 */
const PIECES = /<\|startoftext\|>|<\|endoftext\|>|'(?:[sſtmd]|re|ve|ll)|\p{L}+|\p{N}|[^\p{L}\p{N}\u0345]+/gu;

/**
 * The order in which the vocabulary numbers bytes: printable Latin-1 first. The vocabulary file writes each byte as a
 * stand-in character.
 */
function byteOrder(): { bytes: number[]; standIns: string[] } {
  const all = Array.from({ length: 256 }, (_, byte) => byte);
  const printable = all.filter((b) => (b >= 0x21 && b <= 0x7e) || (b >= 0xa1 && b !== 0xad));
  const others = all.filter((b) => !printable.includes(b));
  return {
    bytes: [...printable, ...others],
    standIns: [...printable, ...others.map((_, i) => 256 + i)].map((code) => String.fromCharCode(code)),
  };
}

/** The merges by rank; each is two tokens separated by a space. */
const readMerges = (): string[] =>
  gunzipSync(readFileSync(VOCABULARY_FILE))
    .toString('utf8')
    .split('\n', MERGES + 1)
    .slice(1);

/**
 * The vocabulary as its file writes it: the token of each id, and the merges by rank; each merge is two tokens
 * separated by a space.
 */
export function vocabulary(): { tokens: string[]; merges: string[] } {
  const { standIns } = byteOrder();
  const merges = readMerges();
  const merged = merges.map((pair) => pair.replace(' ', ''));
  return {
    tokens: [
      ...standIns,
      ...standIns.map((character) => `${character}</w>`),
      ...merged,
      '<|startoftext|>',
      '<|endoftext|>',
    ],
    merges,
  };
}

const pairKey = (left: number, right: number): number => (left << 16) | right;

/**
 * OpenAI's byte-level BPE with the 49,408 tokens of CLIP: 256 bytes, the same bytes at the end of a word, 48,894 merges
 * by rank, start and end. So the id of a merged pair is its rank plus 512.
 */
class Bpe {
  private readonly byteIds = new Uint16Array(256);
  private readonly merges = new Map<number, number>();
  private readonly cache = new Map<string, readonly number[]>();

  constructor() {
    const { bytes, standIns } = byteOrder();
    bytes.forEach((byte, id) => (this.byteIds[byte] = id));
    const ids = new Map<string, number>();
    standIns.forEach((character, id) => ids.set(character, id).set(`${character}</w>`, id + END_OF_WORD));
    readMerges().forEach((line, rank) => {
      const [left, right] = line.split(' ');
      const id = FIRST_MERGED + rank;
      this.merges.set(pairKey(ids.get(left) as number, ids.get(right) as number), id);
      ids.set(left + right, id);
    });
  }

  encode(text: string, limit: number): number[] {
    const ids: number[] = [];
    for (const word of text.split(' ')) {
      if (ids.length >= limit) break;
      if (word.length > LONGEST_CACHED) this.encodeLong(word, ids, limit);
      else for (const id of this.wordIds(word)) ids.push(id);
    }
    return ids;
  }

  private wordIds(word: string): readonly number[] {
    let ids = this.cache.get(word);
    if (ids === undefined) {
      ids = (word.match(PIECES) ?? []).flatMap((piece) => this.mergePiece(piece));
      if (this.cache.size >= CACHED_WORDS) this.cache.clear();
      // a copy, because a slice would keep the whole text in memory
      this.cache.set(Buffer.from(word, 'utf16le').toString('utf16le'), ids);
    }
    return ids;
  }

  private encodeLong(word: string, ids: number[], limit: number): void {
    for (const [piece] of word.matchAll(PIECES)) {
      if (ids.length >= limit) return;
      for (const id of this.mergePiece(piece)) ids.push(id);
    }
  }

  private mergePiece(piece: string): number[] {
    if (piece === '<|startoftext|>') return [START_TOKEN];
    if (piece === '<|endoftext|>') return [END_TOKEN];
    let ids = Array.from(Buffer.from(piece, 'utf8'), (byte) => this.byteIds[byte]);
    ids[ids.length - 1] += END_OF_WORD;
    if (ids.length > LONG_PIECE) return mergeLong(ids, (left, right) => this.merges.get(pairKey(left, right)));
    for (;;) {
      const merged = this.mergeBestPair(ids);
      if (merged === ids) return ids;
      ids = merged;
    }
  }

  /** Merges every occurrence of the pair of lowest rank. Returns the same array when no pair can be merged. */
  private mergeBestPair(ids: number[]): number[] {
    let best = Infinity;
    for (let i = 0; i + 1 < ids.length; i++) {
      best = Math.min(best, this.merges.get(pairKey(ids[i], ids[i + 1])) ?? Infinity);
    }
    if (best === Infinity) return ids;
    const merged: number[] = [];
    for (let i = 0; i < ids.length; i++) {
      const joins = i + 1 < ids.length && this.merges.get(pairKey(ids[i], ids[i + 1])) === best;
      merged.push(joins ? best : ids[i]);
      if (joins) i++;
    }
    return merged;
  }
}

let bpe: Bpe | undefined;

/**
 * Encodes a cleaned text as token ids, without start and end token. The first call reads the vocabulary.
 *
 * @param text the result of `cleanText`
 * @param limit encoding stops after the word (or the piece of a long word) that reaches this number of ids; default: no
 * limit
 */
export function encode(text: string, limit = Infinity): number[] {
  bpe ??= new Bpe();
  return bpe.encode(text, limit);
}
