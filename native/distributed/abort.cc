#include "abort.h"

#include <ATen/ops/empty.h>

#include <limits>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

namespace cleanclip {

namespace {

constexpr int kNobodysTag = std::numeric_limits<int>::max();

}  // namespace

void abortGroup(c10d::ProcessGroup& group) {
  group.abort();
  // Gloo has no abort. It closes all connections of a device once a message is not received within its time limit.
  const auto backend = group.getBackend(c10::DeviceType::CPU);
  auto& gloo = dynamic_cast<c10d::ProcessGroupGloo&>(*backend);
  std::vector<at::Tensor> nothing{at::empty({1}, at::kByte)};
  for (size_t device = 0; device < gloo.getOptions()->devices.size(); device++) {
    for (int rank = 0; rank < group.getSize(); rank++) {
      if (rank == group.getRank()) continue;
      try {
        gloo.recv(nothing, rank, kNobodysTag - static_cast<int>(device))->wait(std::chrono::milliseconds(1));
      } catch (const std::exception&) {  // expected: the limit is over, or the connection was closed before
      }
    }
  }
}

}  // namespace cleanclip
