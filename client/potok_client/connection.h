// A server, and how to find it. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace grpc {
class Channel;
}

namespace potok::client {

// Where the server is, and who said so.
struct ServerAddress {
  std::string address;  // "unix:PATH" or "HOST:PORT"
  std::string source;   // "--server", "POTOK_SERVER", the path of a file, "the embedded stack"
  bool is_embedded = false;
};

// In this order: `flag`, the variable POTOK_SERVER, the key `server` of potok/config.yml in
// $XDG_CONFIG_HOME or ~/.config, the embedded stack at `embedded`. INVALID_ARGUMENT for a file that
// cannot be read, or an address of another form.
absl::StatusOr<ServerAddress> FindServer(const std::string& flag,
                                         const std::map<std::string, std::string>& environment,
                                         const std::string& embedded);

// Whether it has the form of a server's address: "unix:PATH" or "HOST:PORT".
bool IsServerAddress(const std::string& address);

class Connection {
 public:
  explicit Connection(ServerAddress address);

  const ServerAddress& address() const { return address_; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  // Waits until the server takes connections. UNAVAILABLE after `timeout`, or at once for a unix
  // socket that is not there; the message says what was tried and what to do.
  absl::Status WaitUntilReachable(absl::Duration timeout) const;

 private:
  ServerAddress address_;
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace potok::client
