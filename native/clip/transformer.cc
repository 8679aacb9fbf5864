#include "transformer.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/sigmoid.h>

#include "checkpoint.h"

namespace cleanclip {

MultiheadAttention::MultiheadAttention(int64_t width, int64_t heads)
    : heads(heads),
      in_proj_weight(register_parameter("in_proj_weight", at::empty({3 * width, width}))),
      in_proj_bias(register_parameter("in_proj_bias", at::empty(3 * width))),
      out_proj(register_module("out_proj", std::make_shared<Linear>(width, width))) {}

at::Tensor MultiheadAttention::forward(const at::Tensor& x, const Sequences& of) const {
  const auto qkv = of.apart(at::linear(x, in_proj_weight, in_proj_bias)).chunk(3, 2);
  return out_proj->forward(of.together(attend(qkv[0], qkv[1], qkv[2], {}, of.causal)));
}

at::Tensor MultiheadAttention::forward_read(const at::Tensor& x, const Sequences& of) const {
  const auto width = x.size(1);
  const auto weights = in_proj_weight.split_with_sizes({width, 2 * width});
  const auto biases = in_proj_bias.split_with_sizes({width, 2 * width});
  const auto query = at::linear(of.at_read(x), weights[0], biases[0]).unsqueeze(1);  // [count, 1, width]
  const auto kv = of.apart(at::linear(x, weights[1], biases[1])).chunk(2, 2);        // [count, length, width] each
  std::optional<at::Tensor> mask;
  if (of.seen.defined()) mask = of.seen.unflatten(0, {-1, 1, 1});  // [count, 1, 1, length]
  return out_proj->forward(attend(query, kv[0], kv[1], mask, false).squeeze(1));
}

at::Tensor MultiheadAttention::attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                      const std::optional<at::Tensor>& mask, bool causal) const {
  const auto by_head = [this](const at::Tensor& t) { return t.unflatten(2, {heads, -1}).transpose(1, 2); };
  const auto answers = at::scaled_dot_product_attention(by_head(q), by_head(k), by_head(v), mask, 0.0, causal);
  return answers.transpose(1, 2).flatten(2);  // from [count, heads, length, width/heads]
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

at::Tensor ResidualAttentionBlock::forward(const at::Tensor& x, const Sequences& of) const {
  const auto y = x + attn->forward(ln_1->forward(x), of);
  return y + mlp->forward(ln_2->forward(y));
}

at::Tensor ResidualAttentionBlock::forward_read(const at::Tensor& x, const Sequences& of) const {
  const auto y = of.at_read(x) + attn->forward_read(ln_1->forward(x), of);
  return y + mlp->forward(ln_2->forward(y));
}

Transformer::Transformer(int64_t width, int64_t heads, int64_t layers)
    : resblocks(register_module("resblocks", std::make_shared<BlockList<ResidualAttentionBlock>>())) {
  for (int64_t layer = 0; layer < layers; layer++) resblocks->add(width, heads);
}

at::Tensor Transformer::forward(at::Tensor x, const Sequences& of) const {
  const auto& blocks = resblocks->blocks;
  for (size_t i = 0; i + 1 < blocks.size(); i++) {
    const Block forward = [block = blocks[i], of](const at::Tensor& input) { return block->forward(input, of); };
    x = checkpointing ? checkpoint(forward, x) : forward(x);
  }
  return blocks.back()->forward_read(x, of);
}

}  // namespace cleanclip
