#pragma once

#include <optional>

#include "layers.h"

namespace cleanclip {

// Self-attention with torch.nn.MultiheadAttention's parameters.
struct MultiheadAttention : torch::nn::Module {
  MultiheadAttention(int64_t width, int64_t heads);
  at::Tensor forward(const at::Tensor& x, bool causal) const;  // [B, L, width] -> the same

  // The answer to one token of each row: x [B, L, width], token int64 [B] -> [B, 1, width]
  at::Tensor forward_at(const at::Tensor& token, const at::Tensor& x, bool causal) const;

  int64_t heads;
  at::Tensor in_proj_weight;  // [3·width, width]: queries, keys, values
  at::Tensor in_proj_bias;    // [3·width]
  std::shared_ptr<Linear> out_proj;

 private:
  at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                    const std::optional<at::Tensor>& mask, bool causal) const;
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
  at::Tensor forward_at(const at::Tensor& token, const at::Tensor& x, bool causal) const;  // -> [B, 1, width]

  std::shared_ptr<MultiheadAttention> attn;
  std::shared_ptr<LayerNorm> ln_1;
  std::shared_ptr<Mlp> mlp;
  std::shared_ptr<LayerNorm> ln_2;
};

// Pre-norm blocks, read at one token of each row: the last block computes that one alone. Causal: no token sees a later one.
struct Transformer : torch::nn::Module {
  Transformer(int64_t width, int64_t heads, int64_t layers);
  at::Tensor forward_at(const at::Tensor& token, at::Tensor x, bool causal) const;  // int64 [B], [B, L, width] -> [B, width]

  bool checkpointing = false;  // keep the input of each block alone for backward
  std::shared_ptr<BlockList<ResidualAttentionBlock>> resblocks;
};

}  // namespace cleanclip
