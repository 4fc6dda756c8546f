// A notification as a run of a program. Thread-safe; blocks.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "server/notify/delivery_rules.h"
#include "server/notify/ending.h"

namespace potok::server {

struct NotifyCommand {
  std::string program;                   // an absolute path
  std::vector<std::string> environment;  // NAME=VALUE, all that it gets besides PATH and LC_ALL
  std::string input;                     // what it reads
};

// Runs it in the folder `/`, in a process group of its own. Delivered if it ends with 0, failed
// with the last line of what it wrote if not. After `timeout`, or when `is_wanted` is false (then
// it is stopped), the whole group is killed.
Outcome RunNotifyCommand(const NotifyCommand& command,
                         absl::Duration timeout,
                         const std::function<bool()>& is_wanted);

}  // namespace potok::server
