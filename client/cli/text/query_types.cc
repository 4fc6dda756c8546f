#include "client/cli/text/query_types.h"

#include <algorithm>

namespace potok::client {
namespace {

constexpr std::pair<unsigned, const char*> kTypeNames[] = {{kNull, "null"},
                                                           {kBoolean, "boolean"},
                                                           {kNumber, "number"},
                                                           {kString, "string"},
                                                           {kArray, "array"},
                                                           {kObject, "object"},
                                                           {kReference, "&expression"},
                                                           {kNumbers, "array of numbers"},
                                                           {kStrings, "array of strings"}};

bool AllAre(unsigned type, const Value& array) {
  return std::all_of(array.AsArray()->begin(), array.AsArray()->end(), [&](const Value& item) {
    return TypeOf(item) == type;
  });
}

}  // namespace

std::string NamesOf(unsigned types) {
  std::string names;
  for (const auto& [type, name] : kTypeNames) {
    if ((types & type) != 0) names += (names.empty() ? "" : " or ") + std::string(name);
  }
  return names;
}

unsigned TypeOf(const Value& value) {
  constexpr unsigned kTypes[] = {kNull, kBoolean, kNumber, kNumber, kString, kArray, kObject};
  return kTypes[value.content().index()];
}

bool Fits(const Argument& argument, unsigned types) {
  if (argument.each != nullptr) return (types & kReference) != 0;
  const unsigned type = TypeOf(argument.value);
  if ((types & type) != 0) return true;
  if (type != kArray) return false;
  return ((types & kNumbers) != 0 && AllAre(kNumber, argument.value)) ||
         ((types & kStrings) != 0 && AllAre(kString, argument.value));
}

std::vector<std::string> Characters(const std::string& text) {
  std::vector<std::string> characters;
  for (const char c : text) {
    const bool continues = (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
    if (!continues || characters.empty()) characters.emplace_back();
    characters.back() += c;
  }
  return characters;
}

}  // namespace potok::client
