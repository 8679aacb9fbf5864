#pragma once

#include <ATen/core/Tensor.h>

#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>

namespace cleanclip {

// Computes at::batch_norm in training with the mean and variance of all ranks' batches (torch.nn.SyncBatchNorm). The
// batches may have different sizes. Every rank must call it and its backward; both block until all ranks have called.
// x is [B, C, H, W]; weight and bias are [C]. The running statistics [C], if defined, move towards those of all ranks,
// the variance unbiased.
at::Tensor sync_batch_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                           const at::Tensor& running_mean, const at::Tensor& running_var, double momentum, double eps,
                           const c10::intrusive_ptr<c10d::ProcessGroup>& ranks);

}  // namespace cleanclip
