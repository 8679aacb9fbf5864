#pragma once

#include "layers.h"

namespace cleanclip {

// Self-attention with torch.nn.MultiheadAttention's parameters.
struct MultiheadAttention : torch::nn::Module {
  MultiheadAttention(int64_t width, int64_t heads);
  at::Tensor forward(const at::Tensor& x, bool causal) const;  // [B, L, width] -> the same

  int64_t heads;
  at::Tensor in_proj_weight;  // [3·width, width]: queries, keys, values
  at::Tensor in_proj_bias;    // [3·width]
  std::shared_ptr<Linear> out_proj;
};

// Widens fourfold, x·σ(1.702x) (QuickGELU), narrows.
struct Mlp : torch::nn::Module {
  explicit Mlp(int64_t width);
  at::Tensor forward(const at::Tensor& x) const;

  std::shared_ptr<Linear> c_fc, c_proj;
};

struct ResidualAttentionBlock : torch::nn::Module {
  ResidualAttentionBlock(int64_t width, int64_t heads);
  at::Tensor forward(const at::Tensor& x, bool causal) const;  // [B, L, width] -> the same

  std::shared_ptr<MultiheadAttention> attn;
  std::shared_ptr<LayerNorm> ln_1;
  std::shared_ptr<Mlp> mlp;
  std::shared_ptr<LayerNorm> ln_2;
};

// Pre-norm blocks; causal: no token sees a later one.
struct Transformer : torch::nn::Module {
  Transformer(int64_t width, int64_t heads, int64_t layers);
  at::Tensor forward(at::Tensor x, bool causal) const;  // [B, L, width] -> the same

  int64_t width;
  std::shared_ptr<BlockList<ResidualAttentionBlock>> resblocks;
};

}  // namespace cleanclip
