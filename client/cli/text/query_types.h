// The types of JMESPath, and what a function's arguments have to be. Pure.
#pragma once

#include <string>

#include "client/cli/text/query_functions.h"

namespace potok::client {

// Sets of types, as the signatures have them.
enum QueryType : unsigned {
  kNull = 1U << 0U,
  kBoolean = 1U << 1U,
  kNumber = 1U << 2U,
  kString = 1U << 3U,
  kArray = 1U << 4U,
  kObject = 1U << 5U,
  kReference = 1U << 6U,
  kNumbers = 1U << 7U,  // an array of nothing else
  kStrings = 1U << 8U,
  kAny = kNull | kBoolean | kNumber | kString | kArray | kObject,
};

// "string or array"
std::string NamesOf(unsigned types);

// One of kNull to kObject.
unsigned TypeOf(const Value& value);

// Whether it is of one of the types.
bool Fits(const Argument& argument, unsigned types);

// The characters of UTF-8, each with its continuation bytes.
std::vector<std::string> Characters(const std::string& text);

}  // namespace potok::client
