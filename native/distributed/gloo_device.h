// Which network interface Gloo listens on.
#pragma once

#include <gloo/transport/device.h>

#include <memory>
#include <string>
#include <vector>

namespace cleanclip {

// One device for each interface of the comma-separated list. Without a list: the address from which this machine
// reaches `peer`, a host name or address, or the loopback address when it reaches none or `peer` is empty.
std::vector<std::shared_ptr<gloo::transport::Device>> glooDevices(const std::string& interfaces,
                                                                  const std::string& peer);

}  // namespace cleanclip
