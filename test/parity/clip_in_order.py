"""The modules of clip_modules.py, computed by the operators of native/clip in their order: what then differs is no rounding.

Plain modules compute what is never read: the last block's tokens but one, keys and values of every cell of the attention
pool, and padding after a batch's longest caption.
"""

import torch
from torch.nn import functional as F


def attend(attention, q, k, v, mask=None, causal=False):
    q, k, v = (t.unflatten(2, (attention.num_heads, -1)).transpose(1, 2) for t in (q, k, v))
    answers = F.scaled_dot_product_attention(q, k, v, mask, 0.0, causal)
    return attention.out_proj(answers.transpose(1, 2).flatten(2))


def block(layer, x, causal):
    attention = layer.attn
    qkv = F.linear(layer.ln_1(x), attention.in_proj_weight, attention.in_proj_bias).chunk(3, 2)
    x = x + attend(attention, *qkv, causal=causal)
    return x + layer.mlp(layer.ln_2(x))


def pick(token, x):
    return x.take_along_dim(token.view(-1, 1, 1), 1)


def block_at(layer, token, x, causal):
    attention, width = layer.attn, x.shape[2]
    y = layer.ln_1(x)
    weights = attention.in_proj_weight.split([width, 2 * width])
    biases = attention.in_proj_bias.split([width, 2 * width])
    q = F.linear(pick(token, y), weights[0], biases[0])
    k, v = F.linear(y, weights[1], biases[1]).chunk(2, 2)
    mask = (torch.arange(x.shape[1]) <= token[:, None])[:, None, None] if causal else None
    y = pick(token, x) + attend(attention, q, k, v, mask)
    return y + layer.mlp(layer.ln_2(y))


def transformer_at(transformer, token, x, causal):
    *blocks, last = transformer.resblocks
    for layer in blocks:
        x = block(layer, x, causal)
    return block_at(last, token, x, causal).squeeze(1)


def attention_pool(pool, x):
    cells = x.flatten(2).transpose(1, 2)
    tokens = torch.cat([cells.mean(1, keepdim=True), cells], 1) + pool.positional_embedding
    query = pool.q_proj(tokens[:, 0]).unflatten(1, (-1, 64)) * 64**-0.5
    asked = torch.einsum("bhd,hdc->bhc", query, pool.k_proj.weight.unflatten(0, (-1, 64)))
    offset = torch.einsum("bhd,hd->bh", query, pool.k_proj.bias.unflatten(0, (-1, 64))).unsqueeze(2)
    weights = (torch.einsum("bhc,blc->bhl", asked, tokens) + offset).softmax(2)
    seen = torch.einsum("bhl,blc->bhc", weights, tokens)
    values = torch.einsum("bhc,hdc->bhd", seen, pool.v_proj.weight.unflatten(0, (-1, 64)))
    return pool.c_proj(values.flatten(1) + pool.v_proj.bias)


class InOrder:
    """The same model: it shares the parameters of a clip_modules.CLIP."""

    def __init__(self, clip):
        self.clip = clip
        if not hasattr(clip.visual, "transformer"):
            clip.visual.attnpool.forward = lambda x: attention_pool(clip.visual.attnpool, x)

    def encode_image(self, pixels):
        visual = self.clip.visual
        if not hasattr(visual, "transformer"):
            return visual(pixels)
        x = visual.conv1(pixels).flatten(2).transpose(1, 2)
        x = torch.cat([visual.class_embedding.expand(len(x), 1, -1), x], 1) + visual.positional_embedding
        first = torch.zeros(len(x), dtype=torch.int64)
        return visual.ln_post(transformer_at(visual.transformer, first, visual.ln_pre(x), False)) @ visual.proj

    def encode_text(self, ids, cut=True):
        clip, ends = self.clip, ids.argmax(1)
        length = int(ends.max()) + 1 if cut else ids.shape[1]
        x = clip.token_embedding(ids[:, :length]) + clip.positional_embedding[:length]
        return clip.ln_final(transformer_at(clip.transformer, ends, x, True)) @ clip.text_projection

    def __call__(self, ids, pixels):
        features = self.encode_image(pixels), self.encode_text(ids)
        return tuple(f / torch.linalg.vector_norm(f, dim=-1, keepdim=True) for f in features)
