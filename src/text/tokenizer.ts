import { checkOptions, optionError } from '../errors';
import { type Tensor, torch } from '../torch';
import { encode, END_TOKEN, START_TOKEN } from './bpe';
import { cleanText } from './cleaning';

/** The context length of CLIP: token ids a text. */
const CONTEXT_LENGTH = 77;

/**
 * Token ids of texts as CLIP reads them: start token, byte-level BPE of the cleaned text, end token, zeros.
 * A text that is too long is cut and ends with the end token, as OpenAI's `tokenize(…, truncate=True)` does.
 *
 * @param texts captions
 * @param contextLength ids a text, at least 2; default 77
 * @param options.compat cut without putting the end token last, as the Python reference does; default false
 * @returns int64 ids, row-major [texts.length, contextLength]
 * @throws {CleanclipError} `ERR_OPTION` when `contextLength` is not a whole number of at least 2 or a text is no string
 */
export function tokenIds(
  texts: readonly string[],
  contextLength = CONTEXT_LENGTH,
  options: { compat?: boolean } = {},
): BigInt64Array {
  checkOptions('The options of tokenIds', options);
  const { compat = false } = options;
  if (!Array.isArray(texts))
    throw optionError(`texts must be a list of texts, but is ${texts === null ? 'null' : `of type ${typeof texts}`}.`);
  if (!Number.isInteger(contextLength) || contextLength < 2) {
    throw optionError(
      `contextLength must be a whole number of at least 2 (start and end token), but is ${String(contextLength)}.`,
    );
  }
  const odd = texts.findIndex((text) => typeof text !== 'string');
  if (odd >= 0) throw optionError(`texts must be strings, but text ${odd} is of type ${typeof texts[odd]}.`);
  const ids = new BigInt64Array(texts.length * contextLength);
  const lowHalves = new Int32Array(ids.buffer); // [texts, contextLength, 2]: no BigInt an id
  const room = contextLength - 1;
  texts.forEach((text, row) => {
    const tokens = encode(cleanText(text), room);
    if (tokens.length >= room && !compat) tokens.length = room - 1;
    tokens.push(END_TOKEN);
    const kept = Math.min(tokens.length, room);
    const start = row * contextLength;
    lowHalves[2 * start] = START_TOKEN;
    for (let i = 0; i < kept; i++) lowHalves[2 * (start + 1 + i)] = tokens[i];
  });
  return ids;
}

/**
 * The ids of `tokenIds` as a tensor (`clip.tokenize` of the Python package).
 *
 * @param texts one caption or several
 * @param contextLength ids a text, at least 2; default 77
 * @returns int64 [N, contextLength], N = 1 for one caption
 * @example
 * ```ts
 * const ids = tokenize(['a photo of a banana', 'a drawing of a cat']); // int64 [2, 77]
 * ```
 */
export function tokenize(texts: string | readonly string[], contextLength = CONTEXT_LENGTH): Tensor {
  const list = typeof texts === 'string' ? [texts] : texts;
  return torch.tensor(tokenIds(list, contextLength), { shape: [list.length, contextLength] });
}
