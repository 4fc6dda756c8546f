#include "server/artifacts/web_address.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netdb.h>
#include <netinet/in.h>

#include <array>
#include <cstddef>
#include <memory>

#include "absl/strings/ascii.h"
#include "common/cas/folder.h"
#include "fmt/format.h"

namespace potok::server {

namespace {

constexpr std::size_t kUrlBytesMax = 8000;  // RFC 9110, 4.1: what everybody must support

using Url = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

std::string PartOf(const Url& url, CURLUPart part, unsigned flags) {
  char* text = nullptr;
  if (curl_url_get(url.get(), part, &text, flags) != CURLUE_OK) return "";
  std::string copy(text);
  curl_free(text);
  return copy;
}

absl::Status Bad(const std::string& why) {
  return absl::InvalidArgumentError(
      fmt::format("an input's address is not one that can be fetched: {}; write "
                  "https://HOST/PATH or http://HOST/PATH",
                  why));
}

// Why it is no address of the web; empty: `parsed` has it.
std::string WhyNoWebAddress(const std::string& url, const Url& parsed) {
  if (!IsWebAddress(url)) return "it begins with neither http:// nor https://";
  if (url.size() > kUrlBytesMax) return "it is too long";
  const CURLUcode code = curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0);
  return code == CURLUE_OK ? "" : curl_url_strerror(code);
}

// The host of a URL as getaddrinfo(3) takes it.
std::string HostOf(const Url& url) {
  std::string host = PartOf(url, CURLUPART_HOST, 0);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  return host;
}

bool IsLocal(const in_addr& address) {
  const std::uint32_t ip = ntohl(address.s_addr);
  const std::uint32_t first = ip >> 24U;
  return first == 0 || first == 127 || ip >> 16U == 0xA9FEU || first >= 224;
}

bool IsLocal(const in6_addr& address) {
  if (IN6_IS_ADDR_V4MAPPED(&address) || IN6_IS_ADDR_V4COMPAT(&address)) {
    in_addr inner{};
    std::copy(address.s6_addr + 12, address.s6_addr + 16, reinterpret_cast<char*>(&inner.s_addr));
    return IsLocal(inner);
  }
  return IN6_IS_ADDR_LOOPBACK(&address) || IN6_IS_ADDR_UNSPECIFIED(&address) ||
         IN6_IS_ADDR_LINKLOCAL(&address) || IN6_IS_ADDR_MULTICAST(&address);
}

}  // namespace

bool IsWebAddress(const std::string& uri) {
  const std::string start = absl::AsciiStrToLower(uri.substr(0, 8));
  return start.rfind("http://", 0) == 0 || start.rfind("https://", 0) == 0;
}

absl::StatusOr<WebAddress> ParseWebAddress(const std::string& url) {
  const Url parsed(curl_url(), &curl_url_cleanup);
  if (const std::string why = WhyNoWebAddress(url, parsed); !why.empty()) return Bad(why);
  WebAddress address{url, "", ""};
  const std::string path = PartOf(parsed, CURLUPART_PATH, CURLU_URLDECODE);
  address.file_name = path.substr(path.rfind('/') + 1);
  if (!CheckName(address.file_name).ok()) address.file_name = "data";
  for (const CURLUPart secret : {CURLUPART_USER,
                                 CURLUPART_PASSWORD,
                                 CURLUPART_OPTIONS,
                                 CURLUPART_QUERY,
                                 CURLUPART_FRAGMENT}) {
    curl_url_set(parsed.get(), secret, nullptr, 0);
  }
  address.shown = PartOf(parsed, CURLUPART_URL, 0);
  return address;
}

absl::Status CheckWebAddress(const std::string& url, bool local_sources) {
  const Url parsed(curl_url(), &curl_url_cleanup);
  if (const std::string why = WhyNoWebAddress(url, parsed); !why.empty()) {
    return absl::InvalidArgumentError(why);
  }
  if (local_sources) return absl::OkStatus();
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST;
  addrinfo* found = nullptr;
  if (getaddrinfo(HostOf(parsed).c_str(), nullptr, &hints, &found) != 0) return absl::OkStatus();
  const bool is_local = IsLocalAddress(*found->ai_addr);
  freeaddrinfo(found);
  if (!is_local) return absl::OkStatus();
  return absl::PermissionDeniedError("it is an address of the server's own machine or link");
}

bool IsLocalAddress(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    return IsLocal(reinterpret_cast<const sockaddr_in&>(address).sin_addr);
  }
  if (address.sa_family == AF_INET6) {
    return IsLocal(reinterpret_cast<const sockaddr_in6&>(address).sin6_addr);
  }
  return true;
}

std::string ToString(const sockaddr& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* ip = &reinterpret_cast<const sockaddr_in&>(address).sin_addr;
  if (address.sa_family == AF_INET6) ip = &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  if (inet_ntop(address.sa_family, ip, text.data(), text.size()) == nullptr) return "?";
  return text.data();
}

std::string EndpointOf(const sockaddr& address) {
  // The port lies at the same place in both kinds.
  const std::uint16_t port = reinterpret_cast<const sockaddr_in&>(address).sin_port;
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  return fmt::format("{} {}", ToString(address), ntohs(port));
}

std::set<std::string> EndpointsOfProxy(const std::string& proxy) {
  std::set<std::string> endpoints;
  if (proxy.empty()) return endpoints;
  const Url parsed(curl_url(), &curl_url_cleanup);
  const unsigned flags = CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME;
  if (curl_url_set(parsed.get(), CURLUPART_URL, proxy.c_str(), flags) != CURLUE_OK)
    return endpoints;
  const std::string host = HostOf(parsed);
  const std::string port = PartOf(parsed, CURLUPART_PORT, 0);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), port.empty() ? "1080" : port.c_str(), &hints, &found) != 0) {
    return endpoints;
  }
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    endpoints.insert(EndpointOf(*entry->ai_addr));
  }
  freeaddrinfo(found);
  return endpoints;
}

}  // namespace potok::server
