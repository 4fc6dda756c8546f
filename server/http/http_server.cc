#include "server/http/http_server.h"

#include <httplib.h>

#include <cstdlib>
#include <thread>
#include <utility>

#include "fmt/format.h"

namespace potok::server {

namespace {

bool IsLoopback(const std::string& host) {
  return host == "127.0.0.1" || host == "localhost" || host == "[::1]" || host == "::1";
}

std::string HostOf(const std::string& address) {
  return address.substr(0, address.rfind(':'));
}

void Answer(const absl::Status& status, httplib::Response& response) {
  response.status = status.ok() ? 200 : 503;
  response.set_content(status.ok() ? "ok\n" : std::string(status.message()) + "\n",
                       "text/plain; charset=utf-8");
}

}  // namespace

class HttpServer::Port {
 public:
  explicit Port(HttpSources sources) : sources_(std::move(sources)) {
    server_.set_pre_routing_handler(
        [](const httplib::Request& request, httplib::Response& response) {
          const std::string host = request.get_header_value("Host");
          if (IsLoopback(host) || IsLoopback(HostOf(host))) {
            return httplib::Server::HandlerResponse::Unhandled;
          }
          response.status = 403;
          response.set_content("this port answers to loopback names only\n",
                               "text/plain; charset=utf-8");
          return httplib::Server::HandlerResponse::Handled;
        });
    server_.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
      response.set_content(sources_.metrics(), "text/plain; version=0.0.4; charset=utf-8");
    });
    server_.Get("/healthz", [this](const httplib::Request&, httplib::Response& response) {
      Answer(sources_.healthy(), response);
    });
    server_.Get("/readyz", [this](const httplib::Request&, httplib::Response& response) {
      Answer(sources_.ready(), response);
    });
    server_.new_task_queue = [] { return new httplib::ThreadPool(4); };
  }

  ~Port() {
    server_.stop();
    if (thread_.joinable()) thread_.join();
  }
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  absl::StatusOr<int> Listen(const std::string& host, int port) {
    if (port == 0) {
      port = server_.bind_to_any_port(host);
    } else if (!server_.bind_to_port(host, port)) {
      port = -1;
    }
    if (port < 0) {
      return absl::UnavailableError("cannot listen; is another program using the port?");
    }
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    // The socket listens already; this only makes sure that stop() finds a loop to end.
    while (!server_.is_running()) std::this_thread::yield();
    return port;
  }

 private:
  HttpSources sources_;
  httplib::Server server_;
  std::thread thread_;
};

HttpServer::HttpServer() = default;
HttpServer::~HttpServer() = default;

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const std::string& address,
                                                              HttpSources sources) {
  const auto colon = address.rfind(':');
  const std::string host = HostOf(address);
  char* end = nullptr;
  const long port =
      colon == std::string::npos ? -1 : std::strtol(address.c_str() + colon + 1, &end, 10);
  if (port < 0 || port > 65535 || *end != '\0') {
    return absl::InvalidArgumentError(
        fmt::format("'{}' is not HOST:PORT; write for example 127.0.0.1:8780", address));
  }
  if (!IsLoopback(host)) {
    return absl::InvalidArgumentError(
        fmt::format("'{}' is not a loopback address; the HTTP port has no authentication yet and "
                    "stays on 127.0.0.1",
                    address));
  }
  std::unique_ptr<HttpServer> server(new HttpServer());
  server->port_ = std::make_unique<Port>(std::move(sources));
  const auto bound = server->port_->Listen(host, static_cast<int>(port));
  if (!bound.ok()) {
    return absl::Status(
        bound.status().code(),
        fmt::format("HTTP port {}: {}", address, std::string(bound.status().message())));
  }
  server->address_ = fmt::format("{}:{}", host, *bound);
  return server;
}

}  // namespace potok::server
