// Potok's own keys: when and how often a step runs, and whether it is reused (docs/language.md).
// One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "client/frontend/azureml/fields.h"
#include "client/frontend/azureml/reading.h"

namespace potok::client {

// Reads retry, timeout, queue_timeout, reuse and priority over what `step` already has: a node's
// win over its component's. Keys that are unknown in them are errors.
void ReadPolicy(Fields* fields, Reading* reading, Step* step);

// Reads depends_on and when, which only nodes have.
void ReadOrder(Fields* fields, Reading* reading, Step* step);

// Refuses the keys of ReadPolicy but for priority, which is read: on a node that is no step by
// itself. `instead` says where they belong.
void ReadPriorityOnly(Fields* fields, const std::string& instead, Reading* reading, Step* step);

// The number of seconds of "90", "10m", "1h30m", "2d"; nothing of anything else.
std::optional<double> ParseDuration(const std::string& text);
// The same of a key. Reports anything else, and what is not in `min` to `max`.
std::optional<double> ReadDuration(
    Fields* fields, const std::string& key, double min, double max, Reading* reading);

}  // namespace potok::client
