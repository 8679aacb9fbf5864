// What a failed exchange between ranks says.
#pragma once

#include <exception>

namespace cleanclip {

// Throws what a peer, a connection or a time limit caused as a DistributedError: every failure but a wrong argument or
// want of memory.
[[noreturn]] void rethrowAsDistributed(const std::exception_ptr& failure);

}  // namespace cleanclip
