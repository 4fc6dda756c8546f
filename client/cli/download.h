// Bringing a run's outputs and logs to this machine.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "client/cli/context.h"
#include "client/potok_client/connection.h"

namespace potok::client {

struct DownloadOptions {
  std::string run;
  std::string output_name;  // only this: a run's output, or STEP.OUTPUT
  std::string folder;       // absolute
  bool all = false;         // default artifacts and all named outputs; else the artifacts alone
  bool force = false;       // of a run that has not ended: what is there
};

// Lays outputs in FOLDER/named-outputs/NAME and default artifacts with the logs in
// FOLDER/artifacts (a folder for each step when there are several). ALREADY_EXISTS, before anything
// is written, if one of them is there; FAILED_PRECONDITION if the run has not ended.
absl::Status Download(const Context& context,
                      const Connection& connection,
                      const DownloadOptions& options);

}  // namespace potok::client
