import { CleanclipError } from '../errors';

/** Tensor names of models that cannot be built here, and a description of each model. */
const kinds: readonly (readonly [RegExp, string])[] = [
  [/^visual\.trunk\./, "a model with an image tower of timm, which is neither CLIP's ResNet nor its ViT"],
  [
    /^text\.transformer\.(embeddings|encoder|shared|layer)\b|^text\.proj\./,
    "a model with a text tower of Hugging Face, not CLIP's",
  ],
  [/^text_decoder\./, 'a CoCa, whose text decoder is not supported'],
  [/^(text\.)?cls_emb$/, "a model whose captions have a class token, unlike CLIP's"],
  [/^visual\.attn_pool\./, 'a model with an attentional pooler over its image tokens'],
  [/^(vision_model|text_model)\.head\./, "a SigLIP, whose towers and tokeniser are not CLIP's"],
  [/^visual\.(blocks|patch_embed|rope)\./, 'an EVA-CLIP, whose image tower is not supported'],
  [
    /\.attn\.(ln_q|ln_k|ln_inner)\.|\.attn\.(logit_scale|head_scale)$|\.ln_attn\.|\.mlp\.ln\./,
    'a model whose blocks normalise or scale within attention or MLP',
  ],
];

/**
 * Refuses the tensors of a model that cannot be built here.
 * @throws CleanclipError `ERR_CHECKPOINT` that says what kind of model it is
 */
export function refuseForeignTensors(names: readonly string[], path: string): void {
  for (const [pattern, kind] of kinds) {
    const name = names.find((candidate) => pattern.test(candidate));
    if (name !== undefined)
      throw new CleanclipError(
        `'${path}' holds ${kind} (${name}); give a CLIP with a ResNet or ViT and CLIP's own text tower.`,
        'ERR_CHECKPOINT',
      );
  }
}
