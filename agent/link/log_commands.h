// What the agent's loop has for the log shipper's thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/base/attempt.h"
#include "common/runtime/mutex.h"

namespace potok::agent {

// As LogSink's calls.
struct FollowCommand {
  AttemptKey key;
  std::string path;
};
struct FinishCommand {
  AttemptKey key;
  std::string path;
  std::int64_t stored_bytes;
};
struct DropCommand {
  AttemptKey key;
};
using LogCommand = std::variant<FollowCommand, FinishCommand, DropCommand>;

// Many threads add, one takes. Nothing blocks.
class LogCommands {
 public:
  // True if whoever takes is to be woken: what begins is looked at soon anyway, unless nothing else
  // is.
  bool Add(LogCommand command) {
    const bool begins = std::holds_alternative<FollowCommand>(command);
    MutexLock lock(mutex_);
    commands_.push_back(std::move(command));
    return waits_long_ || !begins;
  }

  // Nothing: closed.
  std::optional<std::vector<LogCommand>> Take() {
    MutexLock lock(mutex_);
    waits_long_ = false;
    if (closed_) return std::nullopt;
    return std::exchange(commands_, {});
  }

  // Before a wait: whether there is nothing to take. `long_enough`, that what begins may end it.
  bool Await(bool long_enough) {
    MutexLock lock(mutex_);
    waits_long_ = long_enough;
    return commands_.empty() && !closed_;
  }

  void Close() {
    MutexLock lock(mutex_);
    closed_ = true;
  }

 private:
  Mutex mutex_;
  std::vector<LogCommand> commands_ ABSL_GUARDED_BY(mutex_);
  bool waits_long_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace potok::agent
