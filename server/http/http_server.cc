#include "server/http/http_server.h"

#include <httplib.h>

#include <optional>
#include <thread>
#include <utility>

#include "absl/time/clock.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "server/http/access.h"
#include "server/http/connect_bridge.h"
#include "server/http/connect_protocol.h"
#include "server/http/embedded_file.h"
#include "server/http/http_port.h"
#include "server/http/mlflow_routes.h"
#include "server/http/visitor.h"

namespace potok::server {

namespace {

using Handled = httplib::Server::HandlerResponse;

// A pipeline of 100,000 steps takes some 60 MB as JSON.
constexpr std::size_t kBodyBytesMax = std::size_t{256} << 20;
// Read of the body of a request that may not come in.
constexpr std::size_t kStrangersBytesMax = std::size_t{64} << 10;

void Answer(const absl::Status& status, httplib::Response& response) {
  response.status = status.ok() ? 200 : 503;
  response.set_content(status.ok() ? "ok\n" : std::string(status.message()) + "\n",
                       "text/plain; charset=utf-8");
}

const EmbeddedFile* Find(const std::vector<EmbeddedFile>& files, const std::string& name) {
  for (const EmbeddedFile& file : files) {
    if (file.name == name) return &file;
  }
  return nullptr;
}

const char* TypeOf(const std::string& name) {
  const std::string ending = name.substr(name.rfind('.') + 1);
  if (ending == "html") return "text/html; charset=utf-8";
  if (ending == "css") return "text/css; charset=utf-8";
  if (ending == "js") return "text/javascript; charset=utf-8";
  return "application/json";
}

// Nothing of ours may be framed, sniffed, remembered by a cache, or load things from elsewhere
// (Content Security Policy Level 3).
void AddSafetyHeaders(httplib::Response& response) {
  response.set_header("Content-Security-Policy",
                      "default-src 'self'; frame-ancestors 'none'; base-uri 'none'");
  response.set_header("X-Content-Type-Options", "nosniff");
  response.set_header("Referrer-Policy", "no-referrer");
  response.set_header("Cache-Control", "no-store");
}

}  // namespace

class HttpServer::Port {
 public:
  Port() {
    SetUpConnections(server_);
    server_.set_pre_routing_handler(CheckHost);
    server_.set_error_handler(httplib::Server::HandlerWithResponse(ExplainFailure));
  }

  ~Port() {
    server_.stop();
    if (thread_.joinable()) thread_.join();
  }
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  absl::StatusOr<int> Bind(const std::string& host, int port) {
    return BindPort(server_, host, port);
  }

  void Serve(HttpSources sources) {
    sources_ = std::move(sources);
    bridge_.emplace(sources_.api);
    AddMonitoring();
    AddPages();
    if (sources_.tracking.api != nullptr) {
      AddMlflowRoutes(server_, sources_.tracking, sources_.access);
    }
    server_.Get(R"(/potok\.v1\..*)",
                Guarded([this](const httplib::Request& request, httplib::Response& response) {
                  bridge_->Handle(request, "", response);
                }));
    server_.Post(
        "/.*",
        [this](const httplib::Request& request,
               httplib::Response& response,
               const httplib::ContentReader& read) { ReceiveCall(request, response, read); });
    thread_ = ServePort(server_);
  }

 private:
  // Before a body is read.
  static Handled CheckHost(const httplib::Request& request, httplib::Response& response) {
    AddSafetyHeaders(response);
    if (IsLoopbackHost(request.get_header_value("Host"))) return Handled::Unhandled;
    response.status = 403;
    response.set_content("this port answers to loopback names only\n", "text/plain; charset=utf-8");
    response.set_header("Connection", "close");  // what follows would be the body
    return Handled::Handled;
  }

  // Whether the request may come in; answers it if not.
  bool Enter(const httplib::Request& request, httplib::Response& response) const {
    const Visitor visitor{request.get_header_value("Host"),
                          request.get_header_value("Origin"),
                          request.get_header_value("Authorization"),
                          request.get_header_value("Cookie")};
    const absl::Status entered = MayEnter(visitor, *sources_.access, absl::Now());
    if (entered.ok()) return true;
    response.status = HttpStatusOf(entered.code());
    if (response.status == 401) response.set_header("WWW-Authenticate", "Bearer");
    if (request.path == "/") {
      response.set_content(Find(WebFiles(), "no_session.html")->content, TypeOf(".html"));
    } else {
      response.set_content(ErrorJson({entered, ""}), "application/json");
    }
    return false;
  }

  httplib::Server::Handler Guarded(httplib::Server::Handler handler) const {
    return [this, handler = std::move(handler)](const httplib::Request& request,
                                                httplib::Response& response) {
      if (Enter(request, response)) handler(request, response);
    };
  }

  // Whoever may not come in is told so once the body is read, so that the connection can go on; but
  // not much is read for them.
  void ReceiveCall(const httplib::Request& request,
                   httplib::Response& response,
                   const httplib::ContentReader& read) {
    const bool entered = Enter(request, response);
    const std::size_t bytes_max = entered ? kBodyBytesMax : kStrangersBytesMax;
    const int refused = response.status;
    std::string body;
    const auto keep = [&body, bytes_max](const char* data, std::size_t size) {
      if (size > bytes_max - body.size()) return false;
      body.append(data, size);
      return true;
    };
    const bool whole =
        request.get_header_value<std::uint64_t>("Content-Length") <= bytes_max && read(keep);
    if (!whole) response.set_header("Connection", "close");
    response.status = refused;  // a failed reading changes it
    if (!entered) return;
    if (whole) return bridge_->Handle(request, body, response);
    const absl::Status unread = absl::ResourceExhaustedError(
        fmt::format("the body was cut off, or is larger than {} MiB", kBodyBytesMax >> 20));
    response.status = 413;
    response.set_content(ErrorJson({unread, ""}), "application/json");
  }

  // What the library refuses by itself has no body: a wrong request line, a body that is too large.
  static Handled ExplainFailure(const httplib::Request& request, httplib::Response& response) {
    if (!response.body.empty() || response.status == 304) return Handled::Unhandled;
    absl::Status status = absl::InvalidArgumentError(
        "the request cannot be read; calls are POST /PACKAGE.Service/Method, pages are GET");
    if (response.status == 404) {
      status = absl::NotFoundError(request.path + " is nothing; / is the start");
    } else if (response.status >= 500) {
      status = absl::InternalError("the request failed");
    }
    response.set_content(ErrorJson({status, ""}), "application/json");
    return Handled::Handled;
  }

  void AddMonitoring() {
    server_.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
      response.set_content(sources_.metrics(), "text/plain; version=0.0.4; charset=utf-8");
    });
    server_.Get("/healthz", [this](const httplib::Request&, httplib::Response& response) {
      Answer(sources_.healthy(), response);
    });
    server_.Get("/readyz", [this](const httplib::Request&, httplib::Response& response) {
      Answer(sources_.ready(), response);
    });
  }

  void AddPages() {
    const auto add = [this](const std::string& path, const EmbeddedFile& file) {
      const auto show = [&file](const httplib::Request&, httplib::Response& response) {
        response.set_content(file.content, TypeOf(file.name));
      };
      server_.Get(path, Guarded(show));
    };
    for (const EmbeddedFile& file : WebFiles()) add("/" + file.name, file);
    for (const EmbeddedFile& file : ApiFiles()) add("/" + file.name, file);
    add("/", *Find(WebFiles(), "index.html"));
    server_.Get("/login", [this](const httplib::Request& request, httplib::Response& response) {
      LogIn(request, response);
    });
  }

  void LogIn(const httplib::Request& request, httplib::Response& response) const {
    const std::string session =
        sources_.access->TakeCode(request.get_param_value("code"), absl::Now());
    if (session.empty()) {
      response.status = 401;
      response.set_content(Find(WebFiles(), "no_session.html")->content, TypeOf(".html"));
      return;
    }
    // Strict: no other site's link carries it.
    response.set_header("Set-Cookie",
                        fmt::format("{}={}; HttpOnly; SameSite=Strict; Path=/; Max-Age={}",
                                    SessionCookieName(request.get_header_value("Host")),
                                    session,
                                    absl::ToInt64Seconds(Access::kSessionLife)));
    response.set_redirect("/");
  }

  HttpSources sources_;
  std::optional<ConnectBridge> bridge_;
  httplib::Server server_;
  std::thread thread_;
};

HttpServer::HttpServer() = default;
HttpServer::~HttpServer() = default;

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Bind(const std::string& address) {
  POTOK_ASSIGN_OR_RETURN(const HostAndPort wanted, ParseHostAndPort(address));
  if (!IsLoopbackHost(address)) {
    return absl::InvalidArgumentError(
        fmt::format("'{}' is not a loopback address; the HTTP port has no TLS and stays on "
                    "127.0.0.1 (from elsewhere: ssh -L)",
                    address));
  }
  std::unique_ptr<HttpServer> server(new HttpServer());
  server->port_ = std::make_unique<Port>();
  const auto bound = server->port_->Bind(wanted.host, wanted.port);
  if (!bound.ok()) {
    return absl::Status(
        bound.status().code(),
        fmt::format("HTTP port {}: {}", address, std::string(bound.status().message())));
  }
  server->address_ = fmt::format("{}:{}", wanted.host, *bound);
  return server;
}

void HttpServer::Serve(HttpSources sources) {
  port_->Serve(std::move(sources));
}

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const std::string& address,
                                                              HttpSources sources) {
  POTOK_ASSIGN_OR_RETURN(std::unique_ptr<HttpServer> server, Bind(address));
  server->Serve(std::move(sources));
  return server;
}

}  // namespace potok::server
