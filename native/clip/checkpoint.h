#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

namespace cleanclip {

using Block = std::function<at::Tensor(const at::Tensor&)>;

// block(x), of which nothing but x is kept for backward: that computes the block once more (gradient checkpointing,
// Chen et al. 2016), under the same autocast and without moving the running statistics of batch norm a second time.
at::Tensor checkpoint(const Block& block, const at::Tensor& x);

}  // namespace cleanclip
