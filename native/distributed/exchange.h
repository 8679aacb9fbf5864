// Exchanges between ranks in the middle of a computation. They block this thread (with NCCL its CUDA stream) and throw
// a DistributedError when they fail. Every rank must call the same ones in the same order.
#pragma once

#include <ATen/core/Tensor.h>

#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <vector>

namespace cleanclip {

// Returns how many rows each rank has.
using Counts = std::vector<int64_t>;

// Concatenates [n, …] of every rank, where n may differ, to [Σn, …] in the order of the ranks.
at::Tensor gatherRows(c10d::ProcessGroup& group, const at::Tensor& own, const Counts& counts);

// Sums [Σn, …] over the ranks and returns this rank's rows, [n, …]. The sum is added in the order of the ranks, so it
// is the same each time. A rank receives its own rows alone.
at::Tensor sumOwnRows(c10d::ProcessGroup& group, const at::Tensor& all, Counts counts);

// Sums a contiguous tensor over all ranks, in place.
void sumOverRanks(c10d::ProcessGroup& group, const at::Tensor& tensor);

}  // namespace cleanclip
