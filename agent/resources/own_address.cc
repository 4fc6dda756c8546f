#include "agent/resources/own_address.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <optional>

#include "absl/cleanup/cleanup.h"

namespace potok::agent {

namespace {

constexpr char kLoopback[] = "127.0.0.1";
// Of nobody (RFC 5737): what leads there leads elsewhere.
constexpr char kElsewhere[] = "192.0.2.1";

std::string TextOf(const sockaddr_storage& address, socklen_t length) {
  std::array<char, NI_MAXHOST> host{};
  const auto* any = reinterpret_cast<const sockaddr*>(&address);
  const int failed = getnameinfo(any, length, host.data(), host.size(), nullptr, 0, NI_NUMERICHOST);
  return failed != 0 ? "" : host.data();
}

bool IsOfThisMachineOnly(const std::string& address) {
  return address.rfind("127.", 0) == 0 || address == "::1";
}

// A datagram socket that is connected has sent nothing yet, but knows its own end (connect(2)).
std::optional<std::string> AddressTowards(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return std::nullopt;
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  for (const addrinfo* peer = found; peer != nullptr; peer = peer->ai_next) {
    const int socket = ::socket(peer->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket < 0) continue;
    const absl::Cleanup closes = [socket] { close(socket); };
    if (connect(socket, peer->ai_addr, peer->ai_addrlen) != 0) continue;
    sockaddr_storage own{};
    socklen_t length = sizeof own;
    if (getsockname(socket, reinterpret_cast<sockaddr*>(&own), &length) != 0) continue;
    const std::string text = TextOf(own, length);
    if (!text.empty() && !IsOfThisMachineOnly(text)) return text;
  }
  return std::nullopt;
}

}  // namespace

std::string OwnAddress(const std::string& server) {
  const std::size_t colon = server.rfind(':');
  if (colon != std::string::npos && server.rfind("unix:", 0) != 0) {
    std::string host = server.substr(0, colon);
    if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
    if (auto address = AddressTowards(host, server.substr(colon + 1))) return *address;
  }
  return AddressTowards(kElsewhere, "9").value_or(kLoopback);
}

}  // namespace potok::agent
