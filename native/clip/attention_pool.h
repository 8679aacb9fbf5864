#pragma once

#include "layers.h"

namespace cleanclip {

// Attention pooling (Radford et al. 2021, section 2.4): the mean of the feature map is the only query,
// and its cells are the keys and values.
struct AttentionPool2d : torch::nn::Module {
  AttentionPool2d(int64_t side, int64_t width, int64_t heads, int64_t output_width);
  at::Tensor forward(const at::Tensor& x) const;  // [B, width, side, side] -> [B, output_width]

  int64_t head_width;
  at::Tensor positional_embedding;  // [side·side + 1, width], that of the mean first
  std::shared_ptr<Linear> k_proj, q_proj, v_proj, c_proj;
};

}  // namespace cleanclip
