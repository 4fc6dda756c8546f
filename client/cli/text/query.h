// JMESPath (https://jmespath.org), in which `az --query` and so its scripts ask. Pure.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "client/cli/text/value.h"

namespace potok::client {

// What the whole language of the specification finds, functions included; what is not there is
// null. INVALID_ARGUMENT shows the query and points to the character that is wrong.
absl::StatusOr<Value> Query(const Value& value, const std::string& query);

}  // namespace potok::client
