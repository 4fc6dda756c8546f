#include "client/cli/show/update_request.h"

#include <utility>

#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

absl::Status CannotChange(const std::string& option, const std::string& word) {
  return absl::InvalidArgumentError(
      fmt::format("{} {}: of a run one can change display_name, description, experiment_name, "
                  "tags.NAME and properties.NAME",
                  option,
                  word));
}

// "tags.team" is {"tags", "team"}; anything without a name in a map is {word, ""}.
std::pair<std::string, std::string> Split(const std::string& path) {
  const std::size_t dot = path.find('.');
  if (dot == std::string::npos) return {path, ""};
  return {path.substr(0, dot), path.substr(dot + 1)};
}

absl::Status Assign(const std::string& option,
                    const std::string& word,
                    bool only_maps,
                    v1::UpdateRunRequest* request) {
  const std::size_t equals = word.find('=');
  if (equals == std::string::npos) {
    return absl::InvalidArgumentError(fmt::format("{} {}: write PATH=VALUE", option, word));
  }
  const std::string path = word.substr(0, equals);
  const std::string value = word.substr(equals + 1);
  const auto [field, name] = Split(path);
  if (!name.empty() && field == "tags") {
    (*request->mutable_set_tags())[name] = value;
  } else if (!name.empty() && field == "properties") {
    (*request->mutable_set_properties())[name] = value;
  } else if (!only_maps && path == "display_name") {
    request->set_display_name(value);
  } else if (!only_maps && path == "description") {
    request->set_description(value);
  } else if (!only_maps && path == "experiment_name") {
    request->set_experiment_name(value);
  } else {
    return CannotChange(option, word);
  }
  return absl::OkStatus();
}

absl::Status Remove(const std::string& word, v1::UpdateRunRequest* request) {
  const auto [field, name] = Split(word);
  if (!name.empty() && field == "tags") {
    request->add_remove_tags(name);
  } else if (!name.empty() && field == "properties") {
    request->add_remove_properties(name);
  } else if (word == "description") {
    request->set_description("");
  } else {
    return absl::InvalidArgumentError(fmt::format(
        "--remove {}: tags.NAME, properties.NAME and description can be removed", word));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::UpdateRunRequest> UpdateRequest(const std::string& run,
                                                   const Assignments& assignments) {
  if (assignments.set.empty() && assignments.add.empty() && assignments.remove.empty()) {
    return absl::InvalidArgumentError(
        "nothing to change; write for example --set tags.team=vision");
  }
  v1::UpdateRunRequest request;
  request.set_name(run);
  for (const std::string& word : assignments.set) {
    POTOK_RETURN_IF_ERROR(Assign("--set", word, /*only_maps=*/false, &request));
  }
  for (const std::string& word : assignments.add) {
    POTOK_RETURN_IF_ERROR(Assign("--add", word, /*only_maps=*/true, &request));
  }
  for (const std::string& word : assignments.remove) {
    POTOK_RETURN_IF_ERROR(Remove(word, &request));
  }
  return request;
}

}  // namespace potok::client
