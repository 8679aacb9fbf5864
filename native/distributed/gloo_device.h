// Which network interface Gloo listens on.
#pragma once

#include <gloo/transport/device.h>

#include <memory>
#include <string>
#include <vector>

namespace cleanclip {

// Returns one device for each interface of the comma-separated list. Without a list, it is the address from which this
// machine reaches `peer`, a host name or address. It is the loopback address when `peer` is empty or cannot be reached.
std::vector<std::shared_ptr<gloo::transport::Device>> glooDevices(const std::string& interfaces,
                                                                  const std::string& peer);

}  // namespace cleanclip
