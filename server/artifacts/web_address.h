// Addresses on the web, and which of them may be asked. Thread-safe; pure but for EndpointsOfProxy.
#pragma once

#include <sys/socket.h>

#include <set>
#include <string>

#include "absl/status/statusor.h"

namespace potok::server {

// A checked http:// or https:// address.
struct WebAddress {
  std::string url;        // as it was given, with everything secret that is in it
  std::string shown;      // for messages: without user, password and what follows '?' or '#'
  std::string file_name;  // the last part of its path, or "data"
};

// INVALID_ARGUMENT, without the address's secrets, for what is no such address.
absl::StatusOr<WebAddress> ParseWebAddress(const std::string& url);

// True of http://... and https://..., in any case.
bool IsWebAddress(const std::string& uri);

// Whether `url` is such an address, as far as it tells by itself: INVALID_ARGUMENT says why not,
// and PERMISSION_DENIED that its host is written as an address of the server's own machine or link,
// unless `local_sources`. Without the address; what a name leads to is found when it is asked.
absl::Status CheckWebAddress(const std::string& url, bool local_sources);

// True of addresses that name the machine itself or its link: loopback, unspecified, link-local
// (where clouds keep a machine's credentials), multicast; also as IPv4 in IPv6.
bool IsLocalAddress(const sockaddr& address);

// The IP address alone, and with its port: "192.0.2.1", "192.0.2.1 3128".
std::string ToString(const sockaddr& address);
std::string EndpointOf(const sockaddr& address);

// Where connections to a proxy lead, as EndpointOf: all addresses of its name, as http_proxy gives
// it (curl(1): port 1080 if it has none). Empty for no proxy, and for one whose name means nothing.
// Asks the resolver, and waits for it.
std::set<std::string> EndpointsOfProxy(const std::string& proxy);

}  // namespace potok::server
