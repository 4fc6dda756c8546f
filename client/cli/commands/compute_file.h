// Azure's YAML of a compute, read as a pool. One thread.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/frontend/azureml/diagnostics.h"
#include "potok/v1/pools.pb.h"

namespace potok::client {

struct LoadedPool {
  v1::PutPoolRequest request;  // if nothing is wrong
  // Keys that were given and have no effect here, in order.
  std::vector<std::string> without_effect;
  std::vector<Diagnostic> diagnostics;
  bool ok = false;
};

// Of a file; with an empty `file`, of what `set` says alone. `set` are changes of the file before
// it is read: "limits.gpus=2".
LoadedPool LoadPoolFile(const std::string& file, const std::vector<std::string>& set);

// The same of a pool as it is registered.
LoadedPool EditPool(const v1::Pool& pool, const std::vector<std::string>& set);

}  // namespace potok::client
