#include "nccl.h"

#include "errors.h"

#ifdef USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/NCCLUtils.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

namespace cleanclip {

#ifdef USE_C10D_NCCL

bool hasNccl() { return true; }

std::optional<std::string> ncclVersion() { return c10d::getNcclVersion(); }

c10::intrusive_ptr<c10d::Backend> makeNccl(const c10::intrusive_ptr<c10d::Store>& store, int rank, int size,
                                           std::chrono::milliseconds timeout) {
  auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = timeout;
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(store, rank, size, std::move(options));
}

#else

bool hasNccl() { return false; }

std::optional<std::string> ncclVersion() { return {}; }

c10::intrusive_ptr<c10d::Backend> makeNccl(const c10::intrusive_ptr<c10d::Store>&, int, int,
                                           std::chrono::milliseconds) {
  throw ArgumentError("This libtorch has no NCCL; use the backend 'gloo', or compile against a CUDA build of torch.");
}

#endif

}  // namespace cleanclip
