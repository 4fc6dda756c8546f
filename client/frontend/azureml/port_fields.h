// The fields that every form of an input or output shares: type, mode, bounds, choices. One thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/frontend/azureml/fields.h"
#include "common/pipeline/spec.h"

namespace potok::client {

// The names of types, for messages.
extern const char* const kTypeNames;

enum class Direction { kInput, kOutput };

// True if `text` holds a ${{...}}.
bool HasExpression(const std::string& text);

// `type`, or nothing if it is absent or wrong.
std::optional<ValueType> ReadType(Fields* fields, Reporter* reporter);

// `mode`. One of the other direction is an error; names of old components that mean nothing here
// are the default.
Mode ReadMode(Fields* fields, Direction direction, Reporter* reporter);

// `min` and `max`.
std::optional<double> ReadBound(Fields* fields, const std::string& key, Reporter* reporter);

// `enum`, as texts of the port's type.
std::vector<std::string> ReadChoices(Fields* fields, ValueType type, Reporter* reporter);

// A literal for a port of a primitive type, as commands will see it. What does not fit is kept for
// Validate to refuse.
TextValue Literal(const YamlNode& scalar, ValueType type);

}  // namespace potok::client
