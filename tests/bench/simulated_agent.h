// A machine of many places without processes: speaks the agents' protocol, and each attempt that it
// is ordered has ended when it answers.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace grpc {
class Channel;
}

namespace potok::bench {

class SimulatedAgent {
 public:
  struct Machine {
    std::string name;  // also that of its only pool
    int places = 1;    // steps of one CPU at once
  };
  // What happens to the machine at the end of the object.
  enum class Ending {
    kLeave,   // it says that it is gone
    kVanish,  // the server knows it still, and has no way to order anything of it
  };

  // Connects and returns once the server has welcomed it. UNAVAILABLE.
  static absl::StatusOr<std::unique_ptr<SimulatedAgent>> Connect(
      const std::shared_ptr<grpc::Channel>& channel, const Machine& machine, Ending ending);
  ~SimulatedAgent();
  SimulatedAgent(const SimulatedAgent&) = delete;
  SimulatedAgent& operator=(const SimulatedAgent&) = delete;

  // Attempts of which the server said that their end is stored, and when it said so last, on the
  // clock of NowMicros.
  int acknowledged() const { return acknowledged_; }
  double acknowledged_at() const { return acknowledged_at_; }

 private:
  class Stream;
  SimulatedAgent(std::unique_ptr<Stream> stream, Ending ending);
  void Answer();

  const std::unique_ptr<Stream> stream_;
  const Ending ending_;
  std::atomic<int> acknowledged_ = 0;
  std::atomic<double> acknowledged_at_ = 0;
  std::thread thread_;  // last: it uses the others
};

}  // namespace potok::bench
