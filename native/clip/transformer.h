#pragma once

#include <optional>

#include "config.h"
#include "layers.h"
#include "sequences.h"

namespace cleanclip {

// Self-attention with torch.nn.MultiheadAttention's parameters.
struct MultiheadAttention : torch::nn::Module {
  MultiheadAttention(int64_t width, int64_t heads);
  at::Tensor forward(const at::Tensor& x, const Sequences& sequences) const;  // [rows, width] -> the same
  at::Tensor forward_pooled(const at::Tensor& x,
                            const Sequences& sequences) const;  // -> [count, width]: the rows in `read` alone

  int64_t heads;
  at::Tensor in_proj_weight;  // [3·width, width]: queries, keys, values
  at::Tensor in_proj_bias;    // [3·width]
  std::shared_ptr<Linear> out_proj;

 private:
  // [count, queries, width], [count, length, width] twice -> [count, queries, width]
  at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                    const std::optional<at::Tensor>& mask, bool causal) const;
};

// Two linear layers with an activation between them: x·σ(1.702x) or x·Φ(x).
struct Mlp : torch::nn::Module {
  explicit Mlp(const BlockConfig& config);
  at::Tensor forward(const at::Tensor& x) const;

  bool quick;
  std::shared_ptr<Linear> c_fc, c_proj;
};

// Multiplies each feature by a learned factor (Touvron et al. 2021).
struct LayerScale : torch::nn::Module {
  explicit LayerScale(int64_t width);

  at::Tensor gamma;  // [width]
};

struct ResidualAttentionBlock : torch::nn::Module {
  explicit ResidualAttentionBlock(const BlockConfig& config);
  at::Tensor forward(const at::Tensor& x, const Sequences& sequences) const;         // [rows, width] -> the same
  at::Tensor forward_pooled(const at::Tensor& x, const Sequences& sequences) const;  // -> [count, width]

  std::shared_ptr<MultiheadAttention> attn;
  std::shared_ptr<LayerNorm> ln_1;
  std::shared_ptr<Mlp> mlp;
  std::shared_ptr<LayerNorm> ln_2;
  std::shared_ptr<LayerScale> ls_1, ls_2;  // none: factors of 1

 private:
  at::Tensor with_mlp(const at::Tensor& x) const;
};

// Pre-norm blocks. A feature is taken at one token of each sequence, so the last block computes that token alone.
struct Transformer : torch::nn::Module {
  Transformer(const BlockConfig& config, int64_t layers);
  at::Tensor forward(at::Tensor x, const Sequences& sequences) const;      // [rows, width] -> [count, width]
  at::Tensor forward_all(at::Tensor x, const Sequences& sequences) const;  // [rows, width] -> the same: every token

  bool checkpointing = false;  // keep the input of each block alone for backward
  std::shared_ptr<BlockList<ResidualAttentionBlock>> resblocks;

 private:
  at::Tensor through(size_t blocks, at::Tensor x, const Sequences& sequences) const;
};

}  // namespace cleanclip
