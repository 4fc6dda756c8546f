// The functions of JMESPath. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/text/value.h"

namespace potok::client {

// An argument: a value, or "&expression", which is evaluated with items of others.
struct Argument {
  Value value;
  std::function<absl::StatusOr<Value>(const Value&)> each;  // empty for a value
};

// INVALID_ARGUMENT, without the place, if there is no such function or it takes another number of
// arguments.
absl::Status CheckCall(const std::string& name, std::size_t arguments);

// The same, and INVALID_ARGUMENT that says of what type the first wrong argument has to be.
absl::StatusOr<Value> CallFunction(const std::string& name, const std::vector<Argument>& arguments);

// JMESPath's truth: all but null, false, "", [] and {}.
bool IsTrue(const Value& value);
// Whether both are of one type and equal; 1 and 1.0 are, and the order of keys does not matter.
bool AreEqual(const Value& a, const Value& b);
// Below 0, 0 or above 0 of two numbers or two texts; `comparable` is false for all others.
int Compare(const Value& a, const Value& b, bool* comparable);

}  // namespace potok::client
