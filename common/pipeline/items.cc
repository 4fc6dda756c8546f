#include "common/pipeline/items.h"

#include <algorithm>
#include <set>

#include "absl/status/status.h"
#include "common/base/status_macros.h"
#include "common/pipeline/json.h"
#include "fmt/format.h"

namespace potok {

namespace {

constexpr const char* kItemsForm =
    R"(items are a list of maps such as [{"lr": 0.1}, {"lr": 0.2}], or a map of maps)";

// As Python prints it.
std::string TextOfJson(const JsonNode& value) {
  switch (value.kind) {
    case JsonNode::Kind::kBoolean:
      return value.text == "true" ? "True" : "False";
    case JsonNode::Kind::kNumber:
    case JsonNode::Kind::kText:
      return value.text;
    default:
      return CompactJson(value);
  }
}

absl::StatusOr<LoopItem> ReadItem(std::string label, const JsonNode& node) {
  if (node.kind != JsonNode::Kind::kMap) {
    return absl::InvalidArgumentError(fmt::format("item {} is no map; {}", label, kItemsForm));
  }
  LoopItem item{std::move(label), {}};
  for (std::size_t i = 0; i < node.keys.size(); ++i) {
    const std::string& key = node.keys[i];
    const JsonNode& value = node.items[i];
    if (value.kind == JsonNode::Kind::kNull) continue;
    if (!item.values.emplace(key, TextOfJson(value)).second) {
      return absl::InvalidArgumentError(
          fmt::format("item {} has two values for '{}'", item.label, key));
    }
  }
  return item;
}

absl::Status CheckSameKeys(const LoopItem& item, const LoopItem& first) {
  const auto same = [](const auto& a, const auto& b) { return a.first == b.first; };
  if (std::ranges::equal(item.values, first.values, same)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("item {} has not the same keys as item {}; all items have values for the same "
                  "inputs",
                  item.label,
                  first.label));
}

}  // namespace

absl::StatusOr<std::vector<LoopItem>> ParseItems(const std::string& json) {
  POTOK_ASSIGN_OR_RETURN(const JsonNode root, ParseJson(json));
  std::vector<LoopItem> items;
  if (root.kind != JsonNode::Kind::kList && root.kind != JsonNode::Kind::kMap) {
    return absl::InvalidArgumentError(kItemsForm);
  }
  std::set<std::string> labels;
  for (std::size_t i = 0; i < root.items.size(); ++i) {
    const bool is_map = root.kind == JsonNode::Kind::kMap;
    const std::string label = is_map ? root.keys[i] : std::to_string(i);
    if (!labels.insert(label).second) {
      return absl::InvalidArgumentError(fmt::format("there are two items '{}'", label));
    }
    POTOK_ASSIGN_OR_RETURN(items.emplace_back(), ReadItem(label, root.items[i]));
  }
  for (const LoopItem& item : items) POTOK_RETURN_IF_ERROR(CheckSameKeys(item, items.front()));
  return items;
}

}  // namespace potok
