#pragma once

#include <torch/nn/module.h>

namespace cleanclip {

// What CLIP asks of its visual half.
struct ImageEncoder : torch::nn::Module {
  virtual at::Tensor forward(const at::Tensor& pixels) = 0;  // [B, 3, S, S] -> [B, embed_dim]
};

}  // namespace cleanclip
