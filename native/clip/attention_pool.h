#pragma once

#include "layers.h"

namespace cleanclip {

// Attention pooling (Radford et al. 2021, section 2.4): the mean of the feature map asks, its cells answer.
struct AttentionPool2d : torch::nn::Module {
  AttentionPool2d(int64_t side, int64_t width, int64_t heads, int64_t output_width);
  at::Tensor forward(const at::Tensor& x) const;  // [B, width, side, side] -> [B, output_width]

  int64_t head_width;
  at::Tensor positional_embedding;  // [side·side + 1, width], the mean's first
  std::shared_ptr<Linear> k_proj, q_proj, v_proj, c_proj;
};

}  // namespace cleanclip
