#include "common/pipeline/environment.h"

#include <algorithm>

#include "common/pipeline/json.h"

namespace potok {

namespace {

const JsonNode* MemberOf(const JsonNode& map, const std::string& name) {
  const auto key = std::ranges::find(map.keys, name);
  return key == map.keys.end() ? nullptr
                               : &map.items[static_cast<std::size_t>(key - map.keys.begin())];
}

std::vector<std::string> TextsIn(const JsonNode* list) {
  std::vector<std::string> texts;
  if (list == nullptr) return texts;
  for (const JsonNode& item : list->items) {
    if (item.kind == JsonNode::Kind::kText) texts.push_back(item.text);
  }
  return texts;
}

// "numpy" of "numpy=1.26", "numpy >= 1.2" and "conda-forge::numpy".
std::string NameOfPackage(const std::string& package) {
  const std::size_t channel = package.rfind("::");
  const std::string rest = channel == std::string::npos ? package : package.substr(channel + 2);
  return rest.substr(0, rest.find_first_of(" =<>!~["));
}

void AddPackage(const std::string& package, PythonPackages* to) {
  const std::string name = NameOfPackage(package);
  if (name == "pip") return;
  if (name != "python") return to->conda.push_back(package);
  const std::size_t version = package.find_first_of("0123456789");
  if (version != std::string::npos) to->python = package.substr(version);
}

PythonPackages PackagesOf(const JsonNode& conda) {
  PythonPackages python;
  python.channels = TextsIn(MemberOf(conda, "channels"));
  const JsonNode* dependencies = MemberOf(conda, "dependencies");
  if (dependencies == nullptr) return python;
  for (const JsonNode& dependency : dependencies->items) {
    if (dependency.kind == JsonNode::Kind::kText) AddPackage(dependency.text, &python);
    if (dependency.kind == JsonNode::Kind::kMap) {
      python.packages = TextsIn(MemberOf(dependency, "pip"));
    }
  }
  return python;
}

}  // namespace

EnvironmentDefinition ParseEnvironmentDefinition(const std::string& text) {
  EnvironmentDefinition definition;
  if (text.empty()) return definition;
  const absl::StatusOr<JsonNode> map = ParseJson(text);
  if (!map.ok() || map->kind != JsonNode::Kind::kMap) return definition;
  const JsonNode* image = MemberOf(*map, "image");
  if (image != nullptr && image->kind == JsonNode::Kind::kText) definition.image = image->text;
  const JsonNode* conda = MemberOf(*map, "conda_file");
  if (conda != nullptr && conda->kind == JsonNode::Kind::kMap) {
    definition.python = PackagesOf(*conda);
  }
  return definition;
}

}  // namespace potok
