import type { StateDict } from '../clip/weights';
import { CleanclipError, shown } from '../errors';
import type { Tensor } from '../torch';

/**
 * Renames the weights of a ViT from OpenAI's names to those of `transformers.CLIPModel`. Queries, keys and values
 * become separate tensors, and projections become Linear weights (transposed).
 */
export function huggingFaceState(state: StateDict): StateDict {
  return Object.fromEntries(Object.entries(state).flatMap(([name, tensor]) => renamed(name, tensor)));
}

/** Tensors outside the blocks. `t` marks a matrix that is transposed, for the weight of a Linear. */
const single: Record<string, [name: string, change?: 't']> = {
  logit_scale: ['logit_scale'],
  positional_embedding: ['text_model.embeddings.position_embedding.weight'],
  'token_embedding.weight': ['text_model.embeddings.token_embedding.weight'],
  'ln_final.weight': ['text_model.final_layer_norm.weight'],
  'ln_final.bias': ['text_model.final_layer_norm.bias'],
  text_projection: ['text_projection.weight', 't'],
  'visual.class_embedding': ['vision_model.embeddings.class_embedding'],
  'visual.positional_embedding': ['vision_model.embeddings.position_embedding.weight'],
  'visual.conv1.weight': ['vision_model.embeddings.patch_embedding.weight'],
  'visual.ln_pre.weight': ['vision_model.pre_layrnorm.weight'], // the spelling of transformers
  'visual.ln_pre.bias': ['vision_model.pre_layrnorm.bias'],
  'visual.ln_post.weight': ['vision_model.post_layernorm.weight'],
  'visual.ln_post.bias': ['vision_model.post_layernorm.bias'],
  'visual.proj': ['visual_projection.weight', 't'],
};

/** Parts of a block. `3` marks a tensor that holds queries, keys and values and becomes three tensors. */
const ofBlock: Record<string, string | 3> = {
  ln_1: 'layer_norm1',
  ln_2: 'layer_norm2',
  'mlp.c_fc': 'mlp.fc1',
  'mlp.c_proj': 'mlp.fc2',
  'attn.out_proj': 'self_attn.out_proj',
  'attn.in_proj': 3,
};

function renamed(name: string, tensor: Tensor): [string, Tensor][] {
  if (Object.hasOwn(single, name)) {
    const [other, change] = single[name];
    return [[other, change === 't' ? tensor.t() : tensor]];
  }
  const [, visual, layer, part, kind] =
    /^(visual\.)?transformer\.resblocks\.(\d+)\.(.+?)[._](weight|bias)$/.exec(name) ?? [];
  const other = ofBlock[part];
  if (other === undefined)
    throw new CleanclipError(`transformers' CLIPModel has nothing for ${shown(name)}.`, 'ERR_CHECKPOINT');
  const block = `${visual === undefined ? 'text' : 'vision'}_model.encoder.layers.${layer}`;
  if (other !== 3) return [[`${block}.${other}.${kind}`, tensor]];
  return tensor.chunk(3).map((third, i) => [`${block}.self_attn.${'qkv'[i]}_proj.${kind}`, third]);
}
