// What all ports of HTTP have alike: how connections are held, and how a port is opened.
#pragma once

#include <string>
#include <thread>

#include "absl/status/statusor.h"

namespace httplib {
class Server;
}

namespace potok::server {

struct HostAndPort {
  std::string host;
  int port = 0;
};
// "127.0.0.1:8780". INVALID_ARGUMENT.
absl::StatusOr<HostAndPort> ParseHostAndPort(const std::string& address);

// One thread for each connection, and how long each may be idle. Before Bind.
void SetUpConnections(httplib::Server& server);

// The port, which is the one that was free where 0 was wanted. UNAVAILABLE. Connections wait until
// ServePort.
absl::StatusOr<int> BindPort(httplib::Server& server, const std::string& host, int port);

// Serves until server.stop(), on a thread to be joined after that. Returns once stop() will end it.
std::thread ServePort(httplib::Server& server);

}  // namespace potok::server
