#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

namespace cleanclip {

using Block = std::function<at::Tensor(const at::Tensor&)>;

// Computes block(x) and keeps only x for backward, which computes the block once more (gradient checkpointing, Chen et
// al. 2016). The second pass runs under the same autocast and does not update batch norm's running statistics again.
at::Tensor checkpoint(const Block& block, const at::Tensor& x);

}  // namespace cleanclip
