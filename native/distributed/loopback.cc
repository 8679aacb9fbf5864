#include "loopback.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <optional>

namespace cleanclip {

namespace {

constexpr int backlog = 2048;  // c10d's

bool isLoopback(const sockaddr* address) {
  if (address->sa_family == AF_INET)
    return ntohl(reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr) >> 24 == 127;
  return address->sa_family == AF_INET6 &&
         IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr);
}

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = sizeof(sockaddr_storage);
  sockaddr* any() { return reinterpret_cast<sockaddr*>(&storage); }
};

// Returns the loopback address that a name means, IPv4 first; nothing when the name means another address too.
std::optional<SocketAddress> loopbackOf(const std::string& host, uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return {};
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  const addrinfo* chosen = nullptr;
  for (; found != nullptr; found = found->ai_next) {
    if (!isLoopback(found->ai_addr)) return {};
    if (chosen == nullptr || (chosen->ai_family == AF_INET6 && found->ai_family == AF_INET)) chosen = found;
  }
  if (chosen == nullptr) return {};
  SocketAddress address;
  std::memcpy(&address.storage, chosen->ai_addr, chosen->ai_addrlen);
  address.length = chosen->ai_addrlen;
  return address;
}

}  // namespace

c10d::TCPStoreOptions onLoopback(const std::string& host, c10d::TCPStoreOptions options) {
  auto address = loopbackOf(host, options.port);
  if (!address) return options;
  const int descriptor = socket(address->storage.ss_family, SOCK_STREAM, 0);
  if (descriptor < 0) return options;
  const int on = 1;
  SocketAddress bound;
  const bool listens = ::fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 &&
                       setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                       ::bind(descriptor, address->any(), address->length) == 0 && ::listen(descriptor, backlog) == 0 &&
                       getsockname(descriptor, bound.any(), &bound.length) == 0;
  if (!listens) {
    ::close(descriptor);
    return options;
  }
  options.masterListenFd = descriptor;
  // The port is at the same place in addresses of either family.
  options.port = ntohs(reinterpret_cast<const sockaddr_in*>(&bound.storage)->sin_port);
  return options;
}

}  // namespace cleanclip
