import { type Tensor, torch } from '../torch';

type Entries = [name: string, value: unknown][];

/** Patterns that turn tensor names of CLIPModel of transformers into OpenAI's names. */
const names: readonly (readonly [RegExp, string])[] = [
  [/^text_model\.embeddings\.token_embedding\./, 'token_embedding.'],
  [/^text_model\.embeddings\.position_embedding\.weight$/, 'positional_embedding'],
  [/^text_model\.final_layer_norm\./, 'ln_final.'],
  [/^text_model\.encoder\.layers\./, 'transformer.resblocks.'],
  [/^vision_model\.embeddings\.class_embedding$/, 'visual.class_embedding'],
  [/^vision_model\.embeddings\.patch_embedding\./, 'visual.conv1.'],
  [/^vision_model\.embeddings\.position_embedding\.weight$/, 'visual.positional_embedding'],
  [/^vision_model\.pre_layrnorm\./, 'visual.ln_pre.'],
  [/^vision_model\.post_layernorm\./, 'visual.ln_post.'],
  [/^vision_model\.encoder\.layers\./, 'visual.transformer.resblocks.'],
  [/^visual_projection\./, 'visual.proj.'],
];

const inBlocks: readonly (readonly [RegExp, string])[] = [
  [/\.self_attn\./, '.attn.'],
  [/\.layer_norm([12])\./, '.ln_$1.'],
  [/\.mlp\.fc1\./, '.mlp.c_fc.'],
  [/\.mlp\.fc2\./, '.mlp.c_proj.'],
];

/** Tells whether a name is one that CLIPModel of transformers gives its tensors. */
export const isHfName = (name: string): boolean => /^(text|vision)_model\./.test(name);

/**
 * Renames the tensors of CLIPModel of transformers to OpenAI's names. Queries, keys and values become one tensor. A
 * tensor without an OpenAI name keeps its own.
 */
export function fromHfNames(entries: Entries): Entries {
  const renamed = entries.map(([name, value]): [string, unknown] => [rename(name), value]);
  const byName = new Map(renamed);
  return renamed.flatMap(([name, value]): Entries => {
    const [, attention, which, kind] = /^(.*\.attn\.)([qkv])_proj\.(weight|bias)$/.exec(name) ?? [];
    if (which === undefined) return [[name, value]];
    const parts = ['q', 'k', 'v'].map((letter) => byName.get(`${attention}${letter}_proj.${kind}`));
    if (!parts.every((part): part is Tensor => part instanceof torch.Tensor)) return [[name, value]];
    return which === 'q' ? [[`${attention}in_proj_${kind}`, torch.cat(parts)]] : [];
  });
}

function rename(name: string): string {
  const outer = names.find(([pattern]) => pattern.test(name));
  const renamed = outer === undefined ? name : name.replace(outer[0], outer[1]);
  return inBlocks.reduce((text, [pattern, by]) => text.replace(pattern, by), renamed);
}
