// The part of JMESPath that scripts around Azure's command line use. Pure.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "client/cli/text/value.h"

namespace potok::client {

// Names joined by '.', [0] and [-1], [] and [*] (for each), {A:b, C:d} (a new object), [?a=='b']
// and
// [?contains(a,'b')] (those for which it holds), '|'. What is not there is null, as in JMESPath.
// INVALID_ARGUMENT for anything else.
absl::StatusOr<Value> Query(const Value& value, const std::string& query);

}  // namespace potok::client
