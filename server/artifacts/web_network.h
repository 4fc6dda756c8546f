// How the server asks the web, for inputs and for notifications: whom it may ask, through which
// proxy, and whose certificates it trusts (docs/decisions/0012-inputs-from-the-web.md).
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace potok::server {

struct WebOptions {
  std::int64_t bytes_max = std::int64_t{100} << 30;  // of one file; 0: no limit
  std::string proxy;           // empty: http_proxy, https_proxy and no_proxy of the process
  std::string no_proxy;        // hosts to be asked directly, as curl's; empty: of the process
  std::string ca_file;         // PEM, instead of the system's; empty: the system's
  bool local_sources = false;  // also what the server's own machine serves
  absl::Duration connect_timeout = absl::Seconds(30);
  absl::Duration stall_timeout = absl::Seconds(60);  // less than 1 KB/s for so long is a cut
  absl::Duration patience = absl::Minutes(2);        // with a source that is away in the middle
};

// One thread at a time.
class WebNetwork {
 public:
  // Asks the resolver for the proxies, and waits for it. `options` outlives this.
  explicit WebNetwork(const WebOptions& options);
  WebNetwork(const WebNetwork&) = delete;
  WebNetwork& operator=(const WebNetwork&) = delete;

  // Once in a process before anything of libcurl is used; INTERNAL.
  static absl::Status Prepare();

  // Makes `easy` connect as the options say, and to no address of the server's own machine or link
  // unless they allow it. This outlives the transfer.
  void Configure(CURL* easy);
  // The address that the transfer led to and that may not be asked; empty: none.
  const std::string& refused() const { return refused_; }

 private:
  static curl_socket_t OnSocket(void* self, curlsocktype, curl_sockaddr* address);

  const WebOptions& options_;
  std::set<std::string> proxies_;  // may be local, and decide themselves
  std::string refused_;
};

}  // namespace potok::server
