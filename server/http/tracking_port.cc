#include "server/http/tracking_port.h"

#include <httplib.h>

#include <thread>

#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "server/http/http_port.h"
#include "server/http/mlflow_routes.h"

namespace potok::server {

struct TrackingPort::Port {
  httplib::Server server;
  std::thread thread;
};

TrackingPort::TrackingPort() : port_(std::make_unique<Port>()) {}

TrackingPort::~TrackingPort() {
  port_->server.stop();
  if (port_->thread.joinable()) port_->thread.join();
}

absl::StatusOr<std::unique_ptr<TrackingPort>> TrackingPort::Start(const std::string& address,
                                                                  TrackingSources sources) {
  POTOK_ASSIGN_OR_RETURN(const HostAndPort wanted, ParseHostAndPort(address));
  std::unique_ptr<TrackingPort> tracking(new TrackingPort());
  httplib::Server& server = tracking->port_->server;
  SetUpConnections(server);
  server.set_pre_routing_handler(
      [](const httplib::Request& /*request*/, httplib::Response& response) {
        response.set_header("X-Content-Type-Options", "nosniff");
        response.set_header("Cache-Control", "no-store");
        return httplib::Server::HandlerResponse::Unhandled;
      });
  AddMlflowRoutes(server, sources, /*access=*/nullptr);
  const auto bound = BindPort(server, wanted.host, wanted.port);
  if (!bound.ok()) {
    return absl::Status(
        bound.status().code(),
        fmt::format("tracking port {}: {}", address, std::string(bound.status().message())));
  }
  tracking->address_ = fmt::format("{}:{}", wanted.host, *bound);
  tracking->port_->thread = ServePort(server);
  return tracking;
}

}  // namespace potok::server
