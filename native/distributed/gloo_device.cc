#include "gloo_device.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sstream>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

namespace cleanclip {

namespace {

using c10d::ProcessGroupGloo;

const char* const kLoopback = "127.0.0.1";

// Returns this machine's address on the route to `target`; empty without a route. Connecting a datagram socket sends
// nothing.
std::string ownAddressTowards(const addrinfo& target) {
  const int socket = ::socket(target.ai_family, SOCK_DGRAM, 0);
  if (socket < 0) return "";
  sockaddr_storage own{};
  socklen_t length = sizeof(own);
  auto* const address = reinterpret_cast<sockaddr*>(&own);
  char text[NI_MAXHOST] = "";
  if (::connect(socket, target.ai_addr, target.ai_addrlen) == 0 && ::getsockname(socket, address, &length) == 0) {
    ::getnameinfo(address, length, text, sizeof(text), nullptr, 0, NI_NUMERICHOST);
  }
  ::close(socket);
  return text;
}

std::string ownAddressTowards(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  // Any port will do: the route depends on the address alone.
  if (host.empty() || ::getaddrinfo(host.c_str(), "9", &hints, &found) != 0) return kLoopback;
  std::string own;
  for (const auto* target = found; target != nullptr && own.empty(); target = target->ai_next)
    own = ownAddressTowards(*target);
  ::freeaddrinfo(found);
  return own.empty() ? kLoopback : own;
}

}  // namespace

std::vector<std::shared_ptr<gloo::transport::Device>> glooDevices(const std::string& interfaces,
                                                                  const std::string& peer) {
  if (interfaces.empty()) return {ProcessGroupGloo::createDeviceForHostname(ownAddressTowards(peer))};
  std::vector<std::shared_ptr<gloo::transport::Device>> devices;
  std::istringstream names(interfaces);
  for (std::string name; std::getline(names, name, ',');)
    devices.push_back(ProcessGroupGloo::createDeviceForInterface(name));
  return devices;
}

}  // namespace cleanclip
