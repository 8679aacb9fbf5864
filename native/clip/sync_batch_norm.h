#pragma once

#include <ATen/core/Tensor.h>

#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>

namespace cleanclip {

// at::batch_norm in training, whose mean and variance are those of all ranks' batches together, which may be of
// different sizes (torch.nn.SyncBatchNorm). Every rank calls it, and its backward; both block until all have come. x
// [B, C, H, W], weight and bias [C]; the running statistics [C] move to the joint ones, the variance unbiased, unless
// they are undefined.
at::Tensor sync_batch_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                           const at::Tensor& running_mean, const at::Tensor& running_var, double momentum, double eps,
                           const c10::intrusive_ptr<c10d::ProcessGroup>& ranks);

}  // namespace cleanclip
