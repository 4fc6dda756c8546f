// Whether a request may come in, and who it is that asks. Pure over what the request says.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace potok::server {

class Access;

// What a request says of who sent it: headers as they came, "" for those that did not.
struct Visitor {
  std::string host;
  std::string origin;
  std::string authorization;
  std::string cookie;
};

// "127.0.0.1:8780", "localhost", "[::1]:80": with or without a port.
bool IsLoopbackHost(const std::string& host);

// The session's cookie is named by the port, since browsers share cookies among the ports of a
// host.
std::string SessionCookieName(const std::string& host);

// OK for the token, and for a session whose page is of this very port: other pages on this host
// count as the same site, so the Origin is compared (RFC 6454). UNAUTHENTICATED or
// PERMISSION_DENIED otherwise, saying what to do.
absl::Status MayEnter(const Visitor& visitor, const Access& access, absl::Time now);

}  // namespace potok::server
