#include "transformer.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>

#include "attention.h"
#include "checkpoint.h"
#include "quick_gelu.h"

namespace cleanclip {

MultiheadAttention::MultiheadAttention(int64_t width, int64_t heads)
    : heads(heads),
      in_proj_weight(register_parameter("in_proj_weight", at::empty({3 * width, width}))),
      in_proj_bias(register_parameter("in_proj_bias", at::empty(3 * width))),
      out_proj(register_module("out_proj", std::make_shared<Linear>(width, width))) {}

at::Tensor MultiheadAttention::forward(const at::Tensor& x, const Sequences& sequences) const {
  const auto qkv = sequences.pad(at::linear(x, in_proj_weight, in_proj_bias)).chunk(3, 2);
  return out_proj->forward(sequences.unpad(attend(qkv[0], qkv[1], qkv[2], {}, sequences.causal)));
}

at::Tensor MultiheadAttention::forward_pooled(const at::Tensor& x, const Sequences& sequences) const {
  const auto width = x.size(1);
  const auto weights = in_proj_weight.split_with_sizes({width, 2 * width});
  const auto biases = in_proj_bias.split_with_sizes({width, 2 * width});
  const auto query = at::linear(sequences.at_read(x), weights[0], biases[0]).unsqueeze(1);  // [count, 1, width]
  const auto kv = sequences.pad(at::linear(x, weights[1], biases[1])).chunk(2, 2);  // [count, length, width] each
  std::optional<at::Tensor> mask;
  if (sequences.seen.defined()) mask = sequences.seen.unflatten(0, {-1, 1, 1});  // [count, 1, 1, length]
  return out_proj->forward(attend(query, kv[0], kv[1], mask, false).squeeze(1));
}

at::Tensor MultiheadAttention::attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                      const std::optional<at::Tensor>& mask, bool causal) const {
  const auto by_head = [this](const at::Tensor& t) { return t.unflatten(2, {heads, -1}).transpose(1, 2); };
  const auto answers = attention(by_head(q), by_head(k), by_head(v), mask, causal);
  return answers.transpose(1, 2).flatten(2);  // from [count, heads, length, width/heads]
}

Mlp::Mlp(const BlockConfig& config)
    : quick(config.quick),
      c_fc(register_module("c_fc", std::make_shared<Linear>(config.width, config.hidden))),
      c_proj(register_module("c_proj", std::make_shared<Linear>(config.hidden, config.width))) {}

at::Tensor Mlp::forward(const at::Tensor& x) const {
  const auto y = c_fc->forward(x);
  return c_proj->forward(quick ? quick_gelu(y) : at::gelu(y));
}

LayerScale::LayerScale(int64_t width) : gamma(register_parameter("gamma", at::empty(width))) {}

ResidualAttentionBlock::ResidualAttentionBlock(const BlockConfig& config)
    : attn(register_module("attn", std::make_shared<MultiheadAttention>(config.width, config.heads))),
      ln_1(register_module("ln_1", std::make_shared<LayerNorm>(config.width))),
      mlp(register_module("mlp", std::make_shared<Mlp>(config))),
      ln_2(register_module("ln_2", std::make_shared<LayerNorm>(config.width))) {
  if (!config.layer_scale) return;
  ls_1 = register_module("ls_1", std::make_shared<LayerScale>(config.width));
  ls_2 = register_module("ls_2", std::make_shared<LayerScale>(config.width));
}

namespace {

at::Tensor scaled(const std::shared_ptr<LayerScale>& by, const at::Tensor& branch) {
  return by ? branch * by->gamma : branch;
}

}  // namespace

at::Tensor ResidualAttentionBlock::with_mlp(const at::Tensor& x) const {
  return x + scaled(ls_2, mlp->forward(ln_2->forward(x)));
}

at::Tensor ResidualAttentionBlock::forward(const at::Tensor& x, const Sequences& sequences) const {
  return with_mlp(x + scaled(ls_1, attn->forward(ln_1->forward(x), sequences)));
}

at::Tensor ResidualAttentionBlock::forward_pooled(const at::Tensor& x, const Sequences& sequences) const {
  return with_mlp(sequences.at_read(x) + scaled(ls_1, attn->forward_pooled(ln_1->forward(x), sequences)));
}

Transformer::Transformer(const BlockConfig& config, int64_t layers)
    : resblocks(register_module("resblocks", std::make_shared<BlockList<ResidualAttentionBlock>>())) {
  for (int64_t layer = 0; layer < layers; layer++) resblocks->add(config);
}

at::Tensor Transformer::through(size_t count, at::Tensor x, const Sequences& sequences) const {
  for (size_t i = 0; i < count; i++) {
    const Block forward = [block = resblocks->blocks[i], sequences](const at::Tensor& input) {
      return block->forward(input, sequences);
    };
    x = checkpointing ? checkpoint(forward, x) : forward(x);
  }
  return x;
}

at::Tensor Transformer::forward(at::Tensor x, const Sequences& sequences) const {
  const auto& blocks = resblocks->blocks;
  return blocks.back()->forward_pooled(through(blocks.size() - 1, std::move(x), sequences), sequences);
}

at::Tensor Transformer::forward_all(at::Tensor x, const Sequences& sequences) const {
  return through(resblocks->blocks.size(), std::move(x), sequences);
}

}  // namespace cleanclip
