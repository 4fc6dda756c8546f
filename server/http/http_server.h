// The HTTP port: /metrics, /healthz, /readyz, on loopback. The API over HTTP and the web pages come
// to this room.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace potok::server {

// What the port shows. Called on the port's threads.
struct HttpSources {
  // Prometheus text format.
  std::function<std::string()> metrics;
  // OK: the process works. Otherwise why not.
  std::function<absl::Status()> healthy;
  // OK: it takes submissions.
  std::function<absl::Status()> ready;
};

class HttpServer {
 public:
  // Listens on "HOST:PORT"; port 0 picks a free one. Only loopback addresses, because there is no
  // authentication here yet: INVALID_ARGUMENT for others. Requests whose Host header is not a
  // loopback name are refused (DNS rebinding).
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const std::string& address,
                                                           HttpSources sources);
  // Ends the port.
  ~HttpServer();

  // "127.0.0.1:43211".
  const std::string& address() const { return address_; }

 private:
  class Port;
  HttpServer();

  std::unique_ptr<Port> port_;
  std::string address_;
};

}  // namespace potok::server
