// Errors of failed exchanges between ranks.
#pragma once

#include <exception>

namespace cleanclip {

// Throws a failure that a peer, a connection or a time limit caused as a DistributedError. Wrong arguments and a lack
// of memory keep their own errors.
[[noreturn]] void rethrowAsDistributed(const std::exception_ptr& failure);

}  // namespace cleanclip
