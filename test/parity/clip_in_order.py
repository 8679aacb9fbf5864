"""The modules of clip_modules.py, computed by the operators of native/clip in their order: what then differs is no
rounding.

Plain modules compute what is never read: the last block's tokens but one, keys and values of every cell of the
attention
pool, and padding after the captions.
"""

from dataclasses import dataclass

import torch
from torch.nn import functional as F


@dataclass
class Sequences:
    """Which rows of tokens, [rows, width], lie where in [count, length]."""

    count: int
    length: int
    causal: bool
    read: torch.Tensor
    seen: torch.Tensor | None = None
    places: torch.Tensor | None = None

    def pad(self, rows):
        if self.places is not None:
            rows = rows.new_zeros(self.count * self.length, rows.shape[1]).index_copy_(0, self.places, rows)
        return rows.unflatten(0, (self.count, self.length))

    def unpad(self, x):
        return x.flatten(0, 1) if self.places is None else x.flatten(0, 1).index_select(0, self.places)


def captions(ends, length, pack):
    count, tokens = len(ends), int((ends + 1).sum())
    filled = torch.arange(length) <= ends[:, None]
    if not pack or tokens == count * length:
        return Sequences(count, length, True, torch.arange(count) * length + ends, filled)
    places = filled.flatten().argsort(stable=True, descending=True)[: tokens + -tokens % 16]
    return Sequences(count, length, True, (ends + 1).cumsum(0) - 1, filled, places)


def attend(attention, q, k, v, mask=None, causal=False):
    q, k, v = (t.unflatten(2, (attention.num_heads, -1)).transpose(1, 2) for t in (q, k, v))
    return F.scaled_dot_product_attention(q, k, v, mask, 0.0, causal).transpose(1, 2).flatten(2)


def block(layer, x, sequences):
    attention = layer.attn
    qkv = sequences.pad(F.linear(layer.ln_1(x), attention.in_proj_weight, attention.in_proj_bias)).chunk(3, 2)
    x = x + attention.out_proj(sequences.unpad(attend(attention, *qkv, causal=sequences.causal)))
    return x + layer.mlp(layer.ln_2(x))


def block_read(layer, x, sequences):
    attention, width = layer.attn, x.shape[1]
    y = layer.ln_1(x)
    weights = attention.in_proj_weight.split([width, 2 * width])
    biases = attention.in_proj_bias.split([width, 2 * width])
    q = F.linear(y.index_select(0, sequences.read), weights[0], biases[0])[:, None]
    k, v = sequences.pad(F.linear(y, weights[1], biases[1])).chunk(2, 2)
    mask = None if sequences.seen is None else sequences.seen[:, None, None]
    y = x.index_select(0, sequences.read) + attention.out_proj(attend(attention, q, k, v, mask)[:, 0])
    return y + layer.mlp(layer.ln_2(y))


def transformer(blocks, x, sequences):
    *blocks, last = blocks
    for layer in blocks:
        x = block(layer, x, sequences)
    return block_read(last, x, sequences)


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
        sequences = Sequences(len(x), x.shape[1], False, torch.arange(0, x.shape[0] * x.shape[1], x.shape[1]))
        pooled = transformer(visual.transformer.resblocks, visual.ln_pre(sequences.unpad(x)), sequences)
        return visual.ln_post(pooled) @ visual.proj

    def encode_text(self, ids, pack=True):
        clip, ends = self.clip, ids.argmax(1)
        length = int(ends.max()) + 1 if pack else ids.shape[1]
        sequences = captions(ends, length, pack)
        tokens, positions = (
            sequences.unpad(t[..., None])[:, 0] for t in (ids[:, :length], torch.arange(length).expand(len(ids), -1))
        )
        x = clip.token_embedding(tokens) + F.embedding(positions, clip.positional_embedding)
        return clip.ln_final(transformer(clip.transformer.resblocks, x, sequences)) @ clip.text_projection

    def __call__(self, ids, pixels):
        features = self.encode_image(pixels), self.encode_text(ids)
        return tuple(f / torch.linalg.vector_norm(f, dim=-1, keepdim=True) for f in features)
