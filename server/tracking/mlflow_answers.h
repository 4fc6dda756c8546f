// Answers of MLflow's API that are given without a call of it. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/tracking/logged_files.h"
#include "server/tracking/mlflow_api.h"

namespace potok::server {

MlflowAnswer MlflowErrorAnswer(const absl::Status& status);
// {"files": [...]}, names as they are in the folder.
std::string EntriesAnswer(const std::vector<LoggedEntry>& entries);

}  // namespace potok::server
