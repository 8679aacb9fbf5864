// NCCL, for tensors on CUDA devices, where libtorch was built with it.
#pragma once

#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include <optional>
#include <string>

namespace cleanclip {

bool hasNccl();

// "2.30.7", of the library that is loaded; nothing without NCCL.
std::optional<std::string> ncclVersion();

// Throws ArgumentError without NCCL.
c10::intrusive_ptr<c10d::Backend> makeNccl(const c10::intrusive_ptr<c10d::Store>& store, int rank, int size,
                                           std::chrono::milliseconds timeout);

}  // namespace cleanclip
