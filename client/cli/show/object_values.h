// Values of the objects that commands print, from those of messages. Pure.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "client/cli/text/value.h"

namespace potok::client {

// Null if there is none.
inline Value TextOrNull(const std::string& text) {
  return text.empty() ? Value() : Value(text);
}

// A map of texts by its keys in order.
template <class TextMap>
Value SortedTexts(const TextMap& map) {
  const std::map<std::string, std::string> sorted(map.begin(), map.end());
  Object object;
  for (const auto& [key, text] : sorted) object.emplace_back(key, text);
  return Value(std::move(object));
}

}  // namespace potok::client
