// Keeps the store of ranks that share one machine closed to other machines.
#pragma once

#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <string>

namespace cleanclip {

// Returns the options of a store's server. If the host's name means the loopback address, they hold a socket that
// listens there alone; c10d itself listens on all interfaces. If the port is taken, the options stay as they are, and
// c10d reports the error.
c10d::TCPStoreOptions onLoopback(const std::string& host, c10d::TCPStoreOptions options);

}  // namespace cleanclip
