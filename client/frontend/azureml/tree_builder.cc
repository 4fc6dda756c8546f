#include "client/frontend/azureml/tree_builder.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "fmt/format.h"

namespace potok::client {

namespace {

constexpr const char* kStringTag = "tag:yaml.org,2002:str";
const std::set<std::string>& PlainTags() {
  static const std::set<std::string> tags = {"tag:yaml.org,2002:int",
                                             "tag:yaml.org,2002:float",
                                             "tag:yaml.org,2002:bool",
                                             "tag:yaml.org,2002:null",
                                             "tag:yaml.org,2002:map",
                                             "tag:yaml.org,2002:seq"};
  return tags;
}

}  // namespace

void TreeBuilder::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
  if (ExpectsKey()) throw YAML::ParserException(mark, "a key is empty; write a name before ':'");
  Place at = ToPlace(mark);
  // The parser has already gone on to the next line.
  if (!open_.empty() && open_.back().node->IsMap()) at = open_.back().node->entries.back().at;
  Add(Remember(arena_->New(YamlNode::Kind::kNull, at), anchor), mark);
}

void TreeBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const YamlNode* target = anchors_.at(anchor);
  for (const Open& open : open_) {
    if (open.node == target) {
      throw YAML::ParserException(
          mark, "an alias stands inside the value that it names, which would never end");
    }
  }
  if (ExpectsKey()) {
    if (!target->IsScalar()) throw YAML::ParserException(mark, "a key must be a text");
    return AddKey(mark, target->text, true);
  }
  Add(target, mark);
}

void TreeBuilder::OnScalar(const YAML::Mark& mark,
                           const std::string& tag,
                           YAML::anchor_t anchor,
                           const std::string& value) {
  if (value.find('\0') != std::string::npos) {
    throw YAML::ParserException(mark, "a text holds a NUL character (\\0); take it out");
  }
  const bool is_plain = tag == "?" || PlainTags().contains(tag);
  if (!is_plain && tag != "!" && tag != kStringTag) ReportTag(mark, tag);
  if (ExpectsKey()) {
    if (anchor != YAML::NullAnchor) {
      YamlNode* node = arena_->New(YamlNode::Kind::kScalar, ToPlace(mark));
      node->text = value;
      anchors_[anchor] = node;
    }
    return AddKey(mark, value, is_plain);
  }
  YamlNode* node = arena_->New(YamlNode::Kind::kScalar, ToPlace(mark));
  node->text = value;
  node->is_plain = is_plain;
  Add(Remember(node, anchor), mark);
}

void TreeBuilder::OnSequenceStart(const YAML::Mark& mark,
                                  const std::string& tag,
                                  YAML::anchor_t anchor,
                                  YAML::EmitterStyle::value) {
  Start(YamlNode::Kind::kList, mark, tag, anchor);
}

void TreeBuilder::OnSequenceEnd() {
  End();
}

void TreeBuilder::OnMapStart(const YAML::Mark& mark,
                             const std::string& tag,
                             YAML::anchor_t anchor,
                             YAML::EmitterStyle::value) {
  Start(YamlNode::Kind::kMap, mark, tag, anchor);
}

void TreeBuilder::OnMapEnd() {
  RefuseDuplicates(*open_.back().node);
  Merge(open_.back().node, open_.back().mark);
  End();
}

void TreeBuilder::ReportTag(const YAML::Mark& mark, const std::string& tag) {
  if (tag.empty() || tag == "?" || tag == "!" || PlainTags().contains(tag)) return;
  reporter_->Error(ToPlace(mark), fmt::format("the tag '{}' is not supported; leave it out", tag));
}

const YamlNode* TreeBuilder::Remember(const YamlNode* node, YAML::anchor_t anchor) {
  if (anchor != YAML::NullAnchor) anchors_[anchor] = node;
  return node;
}

void TreeBuilder::AddKey(const YAML::Mark& mark, const std::string& key, bool is_plain) {
  Open& open = open_.back();
  open.has_key = true;
  // A quoted "<<" is an ordinary key; none has this name, so it is refused where keys are known.
  open.node->entries.push_back({is_plain || key != "<<" ? key : "\"<<\"", ToPlace(mark), nullptr});
}

void TreeBuilder::Add(const YamlNode* node, const YAML::Mark& mark) {
  if (open_.empty()) {
    root_ = node;
    return;
  }
  Open& open = open_.back();
  if (open.node->IsMap()) {
    open.node->entries.back().value = node;
    open.has_key = false;
  } else {
    open.node->items.push_back(node);
  }
  open.node->depth = std::max(open.node->depth, node->depth + 1);
  if (open.node->depth > kDepthMax) {
    throw YAML::ParserException(mark, "values are nested too deeply");
  }
  Count(open.node, node->values, mark);
}

void TreeBuilder::Count(YamlNode* node, std::uint64_t values, const YAML::Mark& mark) {
  node->values += values;
  if (node->values > kValuesMax) {
    throw YAML::ParserException(
        mark,
        fmt::format("with its aliases written out the file has more than {} values", kValuesMax));
  }
}

void TreeBuilder::Start(YamlNode::Kind kind,
                        const YAML::Mark& mark,
                        const std::string& tag,
                        YAML::anchor_t anchor) {
  ReportTag(mark, tag);
  if (ExpectsKey()) throw YAML::ParserException(mark, "a key must be a text, not a list or a map");
  YamlNode* node = arena_->New(kind, ToPlace(mark));
  Remember(node, anchor);
  open_.push_back({node, mark});
}

void TreeBuilder::End() {
  const Open closed = open_.back();
  open_.pop_back();
  Add(closed.node, closed.mark);
}

void TreeBuilder::RefuseDuplicates(const YamlNode& map) {
  std::unordered_map<std::string, const YamlEntry*> first;
  for (const YamlEntry& entry : map.entries) {
    const auto [found, is_new] = first.emplace(entry.key, &entry);
    if (is_new) continue;
    reporter_->Error(entry.at,
                     fmt::format("the key '{}' is written twice; the first is on line {}, keep one",
                                 entry.key,
                                 found->second->at.line));
  }
}

// YAML 1.1's merge key: the entries of the maps that `<<` names, unless the map has them itself;
// of a list the earlier map wins.
void TreeBuilder::Merge(YamlNode* map, const YAML::Mark& mark) {
  const YamlEntry* merge = map->Find("<<");
  if (merge == nullptr) return;
  const YamlEntry key = *merge;
  std::vector<YamlEntry> entries;
  std::set<std::string> known;
  for (const YamlEntry& entry : map->entries) {
    if (entry.key == "<<") continue;
    known.insert(entry.key);
    entries.push_back(entry);
  }
  std::vector<const YamlNode*> sources = {key.value};
  if (key.value->IsList()) sources = key.value->items;
  for (const YamlNode* source : sources) {
    if (!source->IsMap()) {
      reporter_->Error(key.at, "'<<' merges maps; name a map, or a list of maps, by its alias");
      continue;
    }
    for (const YamlEntry& entry : source->entries) {
      if (!known.insert(entry.key).second) continue;
      entries.push_back(entry);
      Count(map, entry.value->values, mark);
    }
  }
  map->entries = std::move(entries);
}

}  // namespace potok::client
