import { optionError } from '../errors';
import { encode, END_TOKEN, START_TOKEN } from './bpe';
import { cleanText } from './text';

/** Tokens of a text in CLIP. */
export const CONTEXT_LENGTH = 77;

/**
 * Token ids of texts as CLIP reads them: start token, byte-level BPE of the cleaned text, end token, zeros.
 * A text that is too long is cut and ends with the end token, as OpenAI's `tokenize(…, truncate=True)` does.
 *
 * @param texts captions
 * @param contextLength ids a text, at least 2; default 77
 * @param options.compat cut without putting the end token last, as the Python reference does; default false
 * @returns int64 ids, row-major [texts.length, contextLength]
 * @throws {CleanclipError} `ERR_OPTION` when `contextLength` is not a whole number of at least 2
 */
export function tokenIds(
  texts: readonly string[],
  contextLength = CONTEXT_LENGTH,
  { compat = false }: { compat?: boolean } = {},
): BigInt64Array {
  if (!Number.isInteger(contextLength) || contextLength < 2) {
    throw optionError(`contextLength must be a whole number of at least 2 (start and end token), but is ${contextLength}.`);
  }
  const ids = new BigInt64Array(texts.length * contextLength);
  const lowHalves = new Int32Array(ids.buffer); // [texts, contextLength, 2]: no BigInt an id
  texts.forEach((text, row) => {
    const tokens = [START_TOKEN, ...encode(cleanText(text), contextLength), END_TOKEN];
    if (tokens.length > contextLength && !compat) tokens[contextLength - 1] = END_TOKEN;
    const kept = Math.min(tokens.length, contextLength);
    for (let i = 0; i < kept; i++) lowHalves[2 * (row * contextLength + i)] = tokens[i];
  });
  return ids;
}
