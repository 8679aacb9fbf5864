#include "transformer.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/sigmoid.h>

namespace cleanclip {

MultiheadAttention::MultiheadAttention(int64_t width, int64_t heads)
    : heads(heads),
      in_proj_weight(register_parameter("in_proj_weight", at::empty({3 * width, width}))),
      in_proj_bias(register_parameter("in_proj_bias", at::empty(3 * width))),
      out_proj(register_module("out_proj", std::make_shared<Linear>(width, width))) {}

at::Tensor MultiheadAttention::forward(const at::Tensor& x, bool causal) const {
  const auto qkv = at::linear(x, in_proj_weight, in_proj_bias)
                       .unflatten(2, {3, heads, -1})  // [B, L, 3, heads, width/heads]
                       .permute({2, 0, 3, 1, 4})
                       .unbind();
  const auto answers = at::scaled_dot_product_attention(qkv[0], qkv[1], qkv[2], {}, 0.0, causal);
  return out_proj->forward(answers.transpose(1, 2).flatten(2));
}

Mlp::Mlp(int64_t width)
    : c_fc(register_module("c_fc", std::make_shared<Linear>(width, 4 * width))),
      c_proj(register_module("c_proj", std::make_shared<Linear>(4 * width, width))) {}

at::Tensor Mlp::forward(const at::Tensor& x) const {
  const auto y = c_fc->forward(x);
  return c_proj->forward(y * at::sigmoid(1.702 * y));
}

ResidualAttentionBlock::ResidualAttentionBlock(int64_t width, int64_t heads)
    : attn(register_module("attn", std::make_shared<MultiheadAttention>(width, heads))),
      ln_1(register_module("ln_1", std::make_shared<LayerNorm>(width))),
      mlp(register_module("mlp", std::make_shared<Mlp>(width))),
      ln_2(register_module("ln_2", std::make_shared<LayerNorm>(width))) {}

at::Tensor ResidualAttentionBlock::forward(const at::Tensor& x, bool causal) const {
  const auto y = x + attn->forward(ln_1->forward(x), causal);
  return y + mlp->forward(ln_2->forward(y));
}

Transformer::Transformer(int64_t width, int64_t heads, int64_t layers)
    : width(width), resblocks(register_module("resblocks", std::make_shared<BlockList<ResidualAttentionBlock>>())) {
  for (int64_t layer = 0; layer < layers; layer++) resblocks->add(width, heads);
}

at::Tensor Transformer::forward(at::Tensor x, bool causal) const {
  for (const auto& block : resblocks->blocks) x = block->forward(x, causal);
  return x;
}

}  // namespace cleanclip
