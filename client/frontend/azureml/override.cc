#include "client/frontend/azureml/override.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_split.h"
#include "common/pipeline/suggest.h"
#include "fmt/format.h"

namespace potok::client {

namespace {

// Whether `path` leads into a map of texts. In a file a number there has to be quoted, as by Azure
// ML; what a shell hands over is text anyway.
bool LeadsToText(const std::vector<std::string>& path) {
  static const std::set<std::string> texts = {"tags", "properties", "environment_variables"};
  return path.size() > 1 && texts.contains(path[path.size() - 2]);
}

const YamlNode* ParseValue(const std::string& text,
                           const std::vector<std::string>& path,
                           const Place& at,
                           YamlArena* arena,
                           Reporter* reporter) {
  if (!text.empty() && (text[0] == '{' || text[0] == '[' || text[0] == '"')) {
    Reporter inner;
    const YamlNode* value = ParseYamlText(text, *at.file, arena, &inner);
    if (value != nullptr && inner.errors() == 0) return value;
    reporter->Error(at, "the value is not JSON; check its quotes and brackets");
    return nullptr;
  }
  static const std::set<std::string> nulls = {"null", "~"};
  if (nulls.contains(text)) return arena->New(YamlNode::Kind::kNull, at);
  YamlNode* scalar = arena->New(YamlNode::Kind::kScalar, at);
  scalar->text = text;
  scalar->is_plain = !LeadsToText(path);
  return scalar;
}

// A copy of `node` in which the value at `path` from `depth` on is `value`; null after a report.
const YamlNode* With(const YamlNode* node,
                     const std::vector<std::string>& path,
                     std::size_t depth,
                     const YamlNode* value,
                     YamlArena* arena,
                     Reporter* reporter) {
  if (depth == path.size()) return value;
  if (node != nullptr && !node->IsMap() && !node->IsNull()) {
    const std::string parent = fmt::format(
        "{}", fmt::join(path.begin(), path.begin() + static_cast<std::ptrdiff_t>(depth), "."));
    reporter->Error({value->at.file, 0, 0},
                    fmt::format("'{}' is {} in the file, so nothing below it can be set; set '{}' "
                                "as a whole, for example to a JSON object",
                                parent,
                                NameOf(node->kind),
                                parent));
    return nullptr;
  }
  YamlNode* copy = arena->New(YamlNode::Kind::kMap, node == nullptr ? value->at : node->at);
  if (node != nullptr && node->IsMap()) copy->entries = node->entries;
  const std::string& key = path[depth];
  auto entry = std::ranges::find(copy->entries, key, &YamlEntry::key);
  const YamlNode* old = entry == copy->entries.end() ? nullptr : entry->value;
  if (old == nullptr && depth == 1 && path[0] == "jobs" && path.size() > 2) {
    std::vector<std::string> names;
    for (const YamlEntry& node_entry : copy->entries) names.push_back(node_entry.key);
    reporter->Error({value->at.file, 0, 0},
                    fmt::format("there is no node '{}'{}", key, SuggestionFor(key, names)));
    return nullptr;
  }
  const YamlNode* changed = With(old, path, depth + 1, value, arena, reporter);
  if (changed == nullptr) return nullptr;
  if (entry == copy->entries.end()) {
    copy->entries.push_back({key, value->at, changed});
  } else {
    entry->value = changed;
  }
  return copy;
}

}  // namespace

const YamlNode* Override(const YamlNode* root,
                         const std::vector<std::string>& assignments,
                         YamlArena* arena,
                         Reporter* reporter) {
  for (const std::string& assignment : assignments) {
    const Place at{arena->File("--set " + assignment), 0, 0};
    const std::size_t equals = assignment.find('=');
    const std::vector<std::string> path =
        absl::StrSplit(assignment.substr(0, std::min(equals, assignment.size())), '.');
    if (equals == std::string::npos || std::ranges::find(path, "") != path.end()) {
      reporter->Error(at, "this is not NAME.NAME=VALUE; write for example --set inputs.lr=0.1");
      continue;
    }
    const YamlNode* value = ParseValue(assignment.substr(equals + 1), path, at, arena, reporter);
    const YamlNode* changed =
        value == nullptr ? nullptr : With(root, path, 0, value, arena, reporter);
    if (changed != nullptr) root = changed;
  }
  return root;
}

}  // namespace potok::client
