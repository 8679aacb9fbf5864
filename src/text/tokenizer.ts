import { checkOptions, optionError } from '../errors';
import { checkInteger } from '../integers';
import { type Tensor, torch } from '../torch';
import { encode, END_TOKEN, START_TOKEN } from './bpe';
import { cleanText } from './cleaning';

/** The context length of CLIP: token ids per text. */
const CONTEXT_LENGTH = 77;

/**
 * Encodes texts as token ids for CLIP: start token, byte-level BPE of the cleaned text, end token, zeros.
 * A text that is too long is cut and ends with the end token, as in OpenAI's `tokenize(…, truncate=True)`.
 *
 * @param texts captions
 * @param contextLength ids per text, at least 2; default 77
 * @param options.compat a text that is too long loses its end token, as in the Python reference; default false
 * @returns int64 ids, row-major [texts.length, contextLength]
 * @throws {CleanclipError} `ERR_OPTION` when `contextLength` is not an integer of at least 2 or a text is not a string
 */
export function tokenIds(
  texts: readonly string[],
  contextLength = CONTEXT_LENGTH,
  options: { compat?: boolean } = {},
): BigInt64Array {
  checkOptions('The options of tokenIds', options);
  const { compat = false } = options;
  if (!Array.isArray(texts))
    throw optionError(
      `texts must be an array of strings, but is ${texts === null ? 'null' : `of type ${typeof texts}`}.`,
    );
  checkInteger('contextLength', contextLength, { least: 2, ofWhat: 'token ids' });
  const odd = texts.findIndex((text) => typeof text !== 'string');
  if (odd >= 0) throw optionError(`texts must be strings, but text ${odd} is of type ${typeof texts[odd]}.`);
  const ids = new BigInt64Array(texts.length * contextLength);
  const lowHalves = new Int32Array(ids.buffer); // [texts, contextLength, 2]; avoids a BigInt per id
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
 * Tokenizes captions for CLIP, as OpenAI's `clip.tokenize(texts, contextLength, truncate=True)` does. Each row holds
 * the start token, the byte-level BPE of the caption after {@link cleanText}, the end token, and zeros. A caption that
 * is too long is cut and still ends with the end token.
 *
 * @param texts one caption or several
 * @param contextLength token ids per caption, at least 2; default 77
 * @returns int64 [N, contextLength] on the CPU; N is the number of captions
 * @throws {CleanclipError} `ERR_OPTION` when `contextLength` is not an integer of at least 2 or a text is not a string
 * @example
 * ```ts
 * const ids = tokenize(['a photo of a banana', 'a drawing of a cat']); // int64 [2, 77]
 * ```
 */
export function tokenize(texts: string | readonly string[], contextLength = CONTEXT_LENGTH): Tensor {
  const list = typeof texts === 'string' ? [texts] : texts;
  return torch.tensor(tokenIds(list, contextLength), { shape: [list.length, contextLength] });
}
