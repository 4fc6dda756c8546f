// The HTTP port, on loopback: the API (connect_bridge.h), the web pages, what steps log
// (mlflow_routes.h), /openapi.json, /metrics, /healthz, /readyz. The last three are open; steps
// come in with their own tokens; all else needs the token or a browser's session.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/http/tracking_sources.h"

namespace grpc {
class Channel;
}

namespace potok::server {

class Access;

// What the port shows. Called on the port's threads.
struct HttpSources {
  // Prometheus text format.
  std::function<std::string()> metrics;
  // OK: the process works. Otherwise why not.
  std::function<absl::Status()> healthy;
  // OK: it takes submissions.
  std::function<absl::Status()> ready;
  // The gRPC services of this process.
  std::shared_ptr<grpc::Channel> api;
  // Who may come in; outlives the port.
  Access* access = nullptr;
  // What steps log; left out where there is none.
  TrackingSources tracking;
};

class HttpServer {
 public:
  // Listens on "HOST:PORT"; port 0 picks a free one. Only loopback addresses, because there is no
  // TLS here: INVALID_ARGUMENT for others. Requests whose Host header is not a loopback name are
  // refused (DNS rebinding).
  // Whoever connects before Serve waits for it.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Bind(const std::string& address);
  // Once.
  void Serve(HttpSources sources);
  // Both.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const std::string& address,
                                                           HttpSources sources);
  // Ends the port, once the answers under way have ended.
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
