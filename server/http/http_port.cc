#include "server/http/http_port.h"

#include <httplib.h>

#include <cstdlib>

#include "fmt/format.h"
#include "server/http/connection_threads.h"

namespace potok::server {

namespace {

// How long a connection may stay idle: it holds a thread, and a server that stops waits for it.
constexpr time_t kIdleSeconds = 2;
// How long a reader may read nothing of an answer (`curl ... | less`) before it is given up.
constexpr time_t kStalledSeconds = 30;

}  // namespace

absl::StatusOr<HostAndPort> ParseHostAndPort(const std::string& address) {
  const auto colon = address.rfind(':');
  char* end = nullptr;
  const long port =
      colon == std::string::npos ? -1 : std::strtol(address.c_str() + colon + 1, &end, 10);
  if (port < 0 || port > 65535 || *end != '\0') {
    return absl::InvalidArgumentError(
        fmt::format("'{}' is not HOST:PORT; write for example 127.0.0.1:8780", address));
  }
  return HostAndPort{address.substr(0, colon), static_cast<int>(port)};
}

void SetUpConnections(httplib::Server& server) {
  server.new_task_queue = [] { return new ConnectionThreads(); };
  server.set_keep_alive_timeout(kIdleSeconds);
  server.set_keep_alive_max_count(10000);
  server.set_write_timeout(kStalledSeconds);
  server.set_tcp_nodelay(true);
  // Not SO_REUSEPORT, the library's own choice: two servers would share a port unnoticed.
  server.set_socket_options([](socket_t socket) {
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  });
}

absl::StatusOr<int> BindPort(httplib::Server& server, const std::string& host, int port) {
  if (port == 0) {
    port = server.bind_to_any_port(host);
  } else if (!server.bind_to_port(host, port)) {
    port = -1;
  }
  if (port >= 0) return port;
  return absl::UnavailableError("cannot listen; is another program using the port?");
}

std::thread ServePort(httplib::Server& server) {
  std::thread thread([&server] { server.listen_after_bind(); });
  // The socket listens already; this only makes sure that stop() finds a loop to end.
  while (!server.is_running()) std::this_thread::yield();
  return thread;
}

}  // namespace potok::server
