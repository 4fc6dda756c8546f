#include "server/artifacts/web_network.h"

#include <unistd.h>

#include <cstdlib>

#include "server/artifacts/web_address.h"

namespace potok::server {

absl::Status WebNetwork::Prepare() {
  static const bool kReady = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return kReady ? absl::OkStatus() : absl::InternalError("libcurl cannot be used");
}

WebNetwork::WebNetwork(const WebOptions& options) : options_(options) {
  if (options.local_sources) return;  // nothing to except
  proxies_.merge(EndpointsOfProxy(options.proxy));
  for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    const char* proxy = std::getenv(name);
    if (proxy != nullptr) proxies_.merge(EndpointsOfProxy(proxy));
  }
}

// The address as it will be connected to: behind names, redirects and all that resolvers answer.
curl_socket_t WebNetwork::OnSocket(void* self, curlsocktype, curl_sockaddr* address) {
  auto& network = *static_cast<WebNetwork*>(self);
  const bool is_proxy = network.proxies_.contains(EndpointOf(address->addr));
  if (!network.options_.local_sources && !is_proxy && IsLocalAddress(address->addr)) {
    network.refused_ = ToString(address->addr);
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

void WebNetwork::Configure(CURL* easy) {
  refused_.clear();
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &WebNetwork::OnSocket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  if (!options_.proxy.empty()) curl_easy_setopt(easy, CURLOPT_PROXY, options_.proxy.c_str());
  if (!options_.no_proxy.empty()) {
    curl_easy_setopt(easy, CURLOPT_NOPROXY, options_.no_proxy.c_str());
  }
  if (!options_.ca_file.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, options_.ca_file.c_str());
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  }
  curl_easy_setopt(easy,
                   CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(absl::ToInt64Milliseconds(options_.connect_timeout)));
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1000L);
  curl_easy_setopt(easy,
                   CURLOPT_LOW_SPEED_TIME,
                   static_cast<long>(absl::ToInt64Seconds(options_.stall_timeout)));
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
}

}  // namespace potok::server
