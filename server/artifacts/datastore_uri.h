// Names of files in datastores. Pure; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace potok::server {

// A place in a datastore; the path's parts are good names (never ".." or empty).
struct DatastorePlace {
  std::string datastore;
  std::vector<std::string> parts;  // at least one
};

// Reads azureml://datastores/NAME/paths/PATH and
// azureml://subscriptions/S/resourcegroups/G/[providers/P/]workspaces/W/datastores/NAME/paths/PATH
// (S, G and W are not looked at; "resourceGroups" in any case). NAME is [A-Za-z0-9_-]{1,64}; a
// '/' at the end of PATH is ignored. INVALID_ARGUMENT says what is wrong with anything else.
absl::StatusOr<DatastorePlace> ParseDatastoreUri(const std::string& uri);

// [A-Za-z0-9_-]{1,64}
bool IsDatastoreName(const std::string& name);

}  // namespace potok::server
