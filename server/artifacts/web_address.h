// Addresses on the web, and which of them may be asked. Pure; thread-safe.
#pragma once

#include <sys/socket.h>

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

// True of addresses that name the machine itself or its link: loopback, unspecified, link-local
// (where clouds keep a machine's credentials), multicast; also as IPv4 in IPv6.
bool IsLocalAddress(const sockaddr& address);

// "HOST" and port of an IP address.
std::string ToString(const sockaddr& address);
int PortOf(const sockaddr& address);

// The port of a proxy as http_proxy names it (curl(1): 1080 if it has none); 0 for no proxy.
int PortOfProxy(const std::string& proxy);

}  // namespace potok::server
