// Options of commands that submit a run, for whom it is to notify when it has ended.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/cli/commands/command.h"
#include "common/pipeline/spec.h"

namespace potok::client {

struct NotifyOptions {
  std::vector<std::string> urls;
  std::string on;  // "ended" or "failed"; empty: as the file says
};

// `options` outlive the parser. A wrong address is found before anything is done.
void AddNotifyOptions(CommandOptions& command, NotifyOptions* options);

// Adds them to those that the file has. INVALID_ARGUMENT, and then the spec is not to be used.
absl::Status SetNotify(const NotifyOptions& options, PipelineSpec* spec);

}  // namespace potok::client
