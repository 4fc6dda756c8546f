// What a parallel_for goes over, as a step may have written it: a JSON text as values.
#include <set>

#include "common/pipeline/items.h"
#include "common/pipeline/json.h"
#include "tests/fuzz/fuzz.h"

namespace potok {
namespace {

// What is written compactly means the same, and is compact.
void CheckJson(const std::string& text) {
  const auto root = ParseJson(text);
  if (!root.ok()) {
    POTOK_CHECK(!root.status().message().empty());
    return;
  }
  const std::string compact = CompactJson(*root);
  const auto again = ParseJson(compact);
  POTOK_CHECK(again.ok() && CompactJson(*again) == compact);
}

void CheckItems(const std::string& text) {
  const auto items = ParseItems(text);
  if (!items.ok()) return;
  std::set<std::string> labels;
  for (const LoopItem& item : *items) {
    POTOK_CHECK(labels.insert(item.label).second);
    POTOK_CHECK(item.values.size() == items->front().values.size());
    for (const auto& [key, value] : item.values) POTOK_CHECK(items->front().values.contains(key));
  }
  const auto root = ParseJson(text);
  POTOK_CHECK(root.ok());
  const auto compact = ParseItems(CompactJson(*root));
  POTOK_CHECK(compact.ok() && compact->size() == items->size());
  for (std::size_t i = 0; i < items->size(); ++i) {
    POTOK_CHECK((*items)[i].label == (*compact)[i].label);
    POTOK_CHECK((*items)[i].values == (*compact)[i].values);
  }
}

}  // namespace
}  // namespace potok

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = potok::TextOf(data, size);
  potok::CheckJson(text);
  potok::CheckItems(text);
  return 0;
}
