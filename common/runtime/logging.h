// Logs of a program: standard error, one line per fact, UTC, the thread's name.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace potok {

// `level` is one of trace, debug, info, warn, error; INVALID_ARGUMENT otherwise. Call once, before
// other threads.
absl::Status InitLogging(const std::string& level);

// Names the calling thread, for logs and ps(1); at most 15 characters count
// (pthread_setname_np(3)).
void NameThread(const std::string& name);

}  // namespace potok
