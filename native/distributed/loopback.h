// A store that the ranks of one machine share is for that machine alone.
#pragma once

#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <string>

namespace cleanclip {

// The options of the server of a store, with a socket that listens on the loopback address alone, when that is what the
// host's name stands for. c10d itself listens on all interfaces. Where the port is taken the options stay as they are,
// and c10d says what is wrong.
c10d::TCPStoreOptions onLoopback(const std::string& host, c10d::TCPStoreOptions options);

}  // namespace cleanclip
