import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { END_TOKEN, START_TOKEN, vocabulary } from '../text/bpe';
import { writeJson } from './files';

const start = '<|startoftext|>';
const end = '<|endoftext|>';

/**
 * Writes the tokenizer of every CLIP in the files that `transformers` and `tokenizers` read. Source: CLIPTokenizer, and
 * the folders of OpenAI's models on the Hugging Face hub.
 */
export function writeTokenizer(folder: string, contextLength: number): void {
  const { tokens, merges } = vocabulary();
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  writeFileSync(join(folder, 'vocab.json'), JSON.stringify(vocab));
  writeFileSync(join(folder, 'merges.txt'), `#version: 0.2\n${merges.join('\n')}\n`);
  const special = { bos_token: token(start), eos_token: token(end), unk_token: token(end), pad_token: end };
  writeJson(folder, 'special_tokens_map.json', special);
  writeJson(folder, 'tokenizer_config.json', {
    ...special,
    tokenizer_class: 'CLIPTokenizer',
    model_max_length: contextLength,
    do_lower_case: true,
    add_prefix_space: false,
    errors: 'replace',
  });
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(fastTokenizer(vocab, merges)));
}

const token = (content: string): object => ({
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: true,
});

/** Makes the content of `tokenizer.json`, which the Rust tokenizers and transformers.js read. */
function fastTokenizer(vocab: Record<string, number>, merges: string[]): object {
  const added = (id: number, content: string): object => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  });
  const specials = String.raw`<\|startoftext\|>|<\|endoftext\|>`;
  const pieces = String.raw`${specials}|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`;
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [added(START_TOKEN, start), added(END_TOKEN, end)],
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'NFC' },
        { type: 'Replace', pattern: { Regex: String.raw`\s+` }, content: ' ' },
        { type: 'Lowercase' },
      ],
    },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: pieces }, behavior: 'Removed', invert: true },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
      ],
    },
    post_processor: {
      type: 'RobertaProcessing',
      sep: [end, END_TOKEN],
      cls: [start, START_TOKEN],
      trim_offsets: false,
      add_prefix_space: false,
    },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: end,
      continuing_subword_prefix: '',
      end_of_word_suffix: '</w>',
      fuse_unk: false,
      vocab,
      merges,
    },
  };
}
