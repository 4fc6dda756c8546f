// The images and containers that this agent has with its engine.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "agent/runtime/container.h"
#include "agent/runtime/named_turns.h"

namespace potok::agent {

// Finds out what the engine is: `program` is a path or a name in the PATH of the environment;
// empty: podman, or else docker. FAILED_PRECONDITION with what is wrong with it and what to do.
absl::StatusOr<ContainerEngine> LookForEngine(
    const std::string& program, const std::map<std::string, std::string>& environment);

// Blocks; any thread.
class Images {
 public:
  explicit Images(ContainerEngine engine) : engine_(std::move(engine)) {}

  const ContainerEngine& engine() const { return engine_; }

  // The image of that name, pulled if this machine does not have it: one at a time, with a line in
  // the log of the attempt. FAILED_PRECONDITION with the engine's words and what to do.
  absl::StatusOr<ImageFacts> Get(const std::string& image,
                                 const std::string& log,
                                 const std::function<bool()>& canceled);

  // Ends and removes the attempt's container, if there is one.
  void Remove(const std::string& attempt);
  // The same of all that are not of these attempts: an earlier agent left them.
  void RemoveAllBut(const std::set<std::string>& attempts);

 private:
  absl::StatusOr<ImageFacts> Inspect(const std::string& image);
  absl::Status Pull(const std::string& image,
                    const std::string& log,
                    const std::function<bool()>& canceled);

  const ContainerEngine engine_;
  NamedTurns pulls_;
};

}  // namespace potok::agent
