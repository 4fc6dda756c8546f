#include "common/runtime/flags.h"

#include <algorithm>

namespace potok {

std::vector<char*> WithUnderscores(int argc, char** argv, std::vector<std::string>& storage) {
  storage.assign(argv, argv + argc);
  bool flags_end = false;
  for (std::string& argument : storage) {
    if (argument == "--") flags_end = true;
    if (flags_end || argument.rfind("--", 0) != 0) continue;
    std::replace(argument.begin() + 2,
                 argument.begin() +
                     static_cast<std::ptrdiff_t>(std::min(argument.find('='), argument.size())),
                 '-',
                 '_');
  }
  std::vector<char*> result;
  result.reserve(storage.size() + 1);
  for (std::string& argument : storage) result.push_back(argument.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace potok
