#pragma once

#include <torch/nn/module.h>

namespace cleanclip {

// The visual half of CLIP.
struct ImageEncoder : torch::nn::Module {
  virtual at::Tensor forward(const at::Tensor& pixels) = 0;  // [B, 3, S, S] -> [B, embed_dim]
  virtual void set_checkpointing(
      bool on) = 0;  // backward computes each block once more instead of keeping what is inside it
};

}  // namespace cleanclip
