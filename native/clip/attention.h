#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

namespace cleanclip {

// at::scaled_dot_product_attention: q [B, heads, queries, D], k and v [B, heads, keys, D] of one
// floating dtype -> [B, heads, queries, D] of that dtype. On the CPU, libtorch multiplies small bfloat16 and float16
// matrices slowly, so without a mask those are computed in float32; what is kept for backward stays in their own dtype.
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const std::optional<at::Tensor>& mask, bool causal);

}  // namespace cleanclip
