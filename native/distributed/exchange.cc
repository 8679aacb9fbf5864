#include "exchange.h"

#include <ATen/ops/cat.h>

#include <algorithm>
#include <numeric>

#include "failure.h"

namespace cleanclip {

namespace {

void finish(const c10::intrusive_ptr<c10d::Work>& work) {
  try {
    work->wait();
  } catch (...) {
    rethrowAsDistributed(std::current_exception());
  }
}

std::vector<int64_t> shapeOf(int64_t rows, const at::Tensor& tensor) {
  auto shape = tensor.sizes().vec();
  shape[0] = rows;
  return shape;
}

// libtorch 2.11 knows these two collectives by other names, which are deprecated since.
template <typename Group>
auto allGather(Group& group, at::Tensor& all, at::Tensor& own) {
  if constexpr (requires { group.all_gather_single(all, own); }) {
    return group.all_gather_single(all, own);
  } else {
    return group._allgather_base(all, own);
  }
}

template <typename Group>
auto allToAll(Group& group, at::Tensor& received, at::Tensor& sent, Counts& from, Counts& to) {
  if constexpr (requires { group.all_to_all_single(received, sent, from, to); }) {
    return group.all_to_all_single(received, sent, from, to);
  } else {
    return group.alltoall_base(received, sent, from, to);
  }
}

}  // namespace

at::Tensor gatherRows(c10d::ProcessGroup& group, const at::Tensor& own, const Counts& counts) {
  const auto ranks = static_cast<int64_t>(counts.size());
  const auto most = *std::max_element(counts.begin(), counts.end());
  const auto missing = most - own.size(0);  // all send as many rows
  auto sent = missing > 0 ? at::cat({own, own.new_zeros(shapeOf(missing, own))}) : own.contiguous();
  auto all = own.new_empty(shapeOf(ranks * most, own));
  finish(allGather(group, all, sent));
  if (all.size(0) == std::reduce(counts.begin(), counts.end())) return all;
  std::vector<at::Tensor> parts;
  for (int64_t rank = 0; rank < ranks; rank++) parts.push_back(all.narrow(0, rank * most, counts[rank]));
  return at::cat(parts);
}

at::Tensor sumOwnRows(c10d::ProcessGroup& group, const at::Tensor& all, Counts counts) {
  const auto own = counts[group.getRank()];
  Counts fromEach(counts.size(), own);
  auto sent = all.contiguous();
  auto received = all.new_empty(shapeOf(std::reduce(fromEach.begin(), fromEach.end()), all));
  finish(allToAll(group, received, sent, fromEach, counts));
  return received.unflatten(0, {-1, own}).sum(0);
}

void sumOverRanks(c10d::ProcessGroup& group, const at::Tensor& tensor) {
  std::vector<at::Tensor> tensors{tensor};
  finish(group.allreduce(tensors));
}

}  // namespace cleanclip
