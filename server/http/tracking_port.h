// A port for what steps log, and for nothing else: unlike the HTTP port it may be reached from
// other machines, where steps run, and a storm of metrics there takes no connections from people.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/http/tracking_sources.h"

namespace potok::server {

class TrackingPort {
 public:
  // Listens on "HOST:PORT", of any address; port 0 picks a free one. Without TLS: whoever listens
  // on the way sees steps' tokens, which write to their own runs and read metrics.
  static absl::StatusOr<std::unique_ptr<TrackingPort>> Start(const std::string& address,
                                                             TrackingSources sources);
  // Ends the port, once the answers under way have ended.
  ~TrackingPort();
  TrackingPort(const TrackingPort&) = delete;
  TrackingPort& operator=(const TrackingPort&) = delete;

  // "10.0.0.1:8781".
  const std::string& address() const { return address_; }

 private:
  struct Port;
  TrackingPort();

  std::unique_ptr<Port> port_;
  std::string address_;
};

}  // namespace potok::server
