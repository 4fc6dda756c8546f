#include "common/runtime/flags.h"

#include <algorithm>
#include <map>

namespace potok {

std::vector<char*> FlagArguments(const std::vector<std::string>& arguments,
                                 const std::set<std::string>& lists,
                                 std::vector<std::string>& storage) {
  storage.clear();
  std::map<std::string, std::string> joined;  // by name, of `lists`
  auto at = arguments.begin();
  for (; at != arguments.end() && *at != "--"; ++at) {
    std::string argument = *at;
    const std::size_t equals = std::min(argument.find('='), argument.size());
    if (!argument.starts_with("--")) {
      storage.push_back(std::move(argument));
      continue;
    }
    std::replace(
        argument.begin() + 2, argument.begin() + static_cast<std::ptrdiff_t>(equals), '-', '_');
    const std::string name = argument.substr(2, equals - 2);
    const bool value_follows = equals == argument.size();
    if (!lists.contains(name) || (value_follows && std::next(at) == arguments.end())) {
      storage.push_back(std::move(argument));
      continue;
    }
    std::string& values = joined[name];
    if (!values.empty()) values += ",";
    values += value_follows ? *++at : argument.substr(equals + 1);
  }
  for (const auto& [name, values] : joined) storage.push_back("--" + name + "=" + values);
  storage.insert(storage.end(), at, arguments.end());
  std::vector<char*> result;
  result.reserve(storage.size() + 1);
  for (std::string& argument : storage) result.push_back(argument.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace potok
