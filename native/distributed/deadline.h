// Time limits for operations of a store.
#pragma once

#include <chrono>
#include <future>
#include <thread>
#include <type_traits>
#include <utility>

#include "errors.h"

namespace cleanclip {

// Gives `work` with a store a deadline. The work itself keeps its time limit only while the store's host answers. Five
// seconds after the limit the caller gets a DistributedError. The work goes on in a thread of its own, because a
// TCPStore's wait for an answer cannot be interrupted.
template <typename Work>
auto withDeadline(std::chrono::milliseconds limit, Work work) {
  return [limit, work = std::move(work)] {
    std::packaged_task<std::invoke_result_t<const Work&>()> task([own = work]() mutable {
      const auto work = std::move(own);  // destroyed before the result is there
      return work();
    });
    auto result = task.get_future();
    std::thread(std::move(task)).detach();
    if (result.wait_for(limit + std::chrono::seconds(5)) == std::future_status::timeout) {
      throw DistributedError("timed out, as the process that hosts the store does not answer");
    }
    return result.get();
  };
}

}  // namespace cleanclip
