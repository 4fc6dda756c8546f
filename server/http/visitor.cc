#include "server/http/visitor.h"

#include "server/http/access.h"

namespace potok::server {

namespace {

std::string WithoutPort(const std::string& host) {
  const std::size_t colon = host.rfind(':');
  const std::size_t bracket = host.rfind(']');
  if (colon == std::string::npos || (bracket != std::string::npos && bracket > colon)) return host;
  return host.substr(0, colon);
}

// Of "a=1; b=2" (RFC 6265 section 4.2.1).
std::string CookieOf(const std::string& header, const std::string& name) {
  for (std::size_t start = 0; start < header.size();) {
    std::size_t end = header.find(';', start);
    if (end == std::string::npos) end = header.size();
    const std::string pair = header.substr(start, end - start);
    if (pair.compare(0, name.size() + 1, name + "=") == 0) return pair.substr(name.size() + 1);
    start = end + 1;
    while (start < header.size() && header[start] == ' ') ++start;
  }
  return "";
}

}  // namespace

bool IsLoopbackHost(const std::string& host) {
  const std::string name = WithoutPort(host);
  return name == "127.0.0.1" || name == "localhost" || name == "[::1]";
}

std::string SessionCookieName(const std::string& host) {
  const std::string name = WithoutPort(host);
  return "potok_" + (name.size() < host.size() ? host.substr(name.size() + 1) : "80");
}

absl::Status MayEnter(const Visitor& visitor, const Access& access, absl::Time now) {
  if (!visitor.authorization.empty()) {
    if (access.IsToken(visitor.authorization)) return absl::OkStatus();
    return absl::UnauthenticatedError(
        "the token is not this server's; it is in the file http.token of the server's home");
  }
  const std::string session = CookieOf(visitor.cookie, SessionCookieName(visitor.host));
  if (session.empty() || !access.IsSession(session, now)) {
    return absl::UnauthenticatedError(
        "send \"Authorization: Bearer TOKEN\" with the content of the file http.token of the "
        "server's home, or open the link that `potok web` prints");
  }
  if (!visitor.origin.empty() && visitor.origin != "http://" + visitor.host) {
    return absl::PermissionDeniedError("a page of " + visitor.origin + " may not call this server");
  }
  return absl::OkStatus();
}

}  // namespace potok::server
