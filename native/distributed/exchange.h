// Exchanges between ranks in the middle of a computation. They block this thread (with NCCL its CUDA stream), and what
// fails in them is thrown as a DistributedError. Every rank calls the same ones in the same order.
#pragma once

#include <ATen/core/Tensor.h>

#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <vector>

namespace cleanclip {

// The number of rows that each rank has, by rank.
using Counts = std::vector<int64_t>;

// [n, …] of every rank, where n may differ -> [Σn, …], in the order of the ranks.
at::Tensor gatherRows(c10d::ProcessGroup& group, const at::Tensor& own, const Counts& counts);

// [Σn, …] on every rank -> [n, …]: the sum of what the ranks have for this one's rows. It is added in the order of the
// ranks, so that it is the same each time, and a rank receives nothing but its own rows.
at::Tensor sumOwnRows(c10d::ProcessGroup& group, const at::Tensor& all, Counts counts);

// The sum of a contiguous tensor over all ranks, in place.
void sumOverRanks(c10d::ProcessGroup& group, const at::Tensor& tensor);

}  // namespace cleanclip
