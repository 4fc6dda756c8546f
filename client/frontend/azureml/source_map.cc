#include "client/frontend/azureml/source_map.h"

namespace potok::client {

namespace {

struct Walk {
  Place place;
  const YamlNode* node = nullptr;  // what stands there, if the whole path was found
};

// Goes down from `map` along a dotted path as far as its keys are there. Keys may hold dots, so the
// longest that fits counts.
Walk Follow(const YamlNode* map, const Place& start, std::string path) {
  Walk walk{start, map};
  while (!path.empty()) {
    const YamlEntry* next = nullptr;
    if (walk.node->IsMap()) {
      for (const YamlEntry& entry : walk.node->entries) {
        const std::string& key = entry.key;
        const bool fits = path.compare(0, key.size(), key) == 0 &&
                          (path.size() == key.size() || path[key.size()] == '.');
        if (fits && (next == nullptr || key.size() > next->key.size())) next = &entry;
      }
    }
    if (next == nullptr) {
      walk.node = nullptr;
      return walk;
    }
    walk = {next->Best(), next->value};
    path.erase(0, std::min(path.size(), next->key.size() + 1));
  }
  return walk;
}

}  // namespace

void SourceMap::AddStep(const YamlEntry* entry, const YamlNode* component) {
  steps_[entry->key] = {entry, component};
}

void SourceMap::SetOnlyStep(const std::string& name) {
  steps_[name] = {&job_, nullptr};
}

SourceMap::Found SourceMap::FindInStep(const Step& step, const std::string& rest) {
  const Walk own = Follow(step.entry->value, step.entry->at, rest);
  if (own.node != nullptr) {
    const YamlEntry* value = own.node->Find("value");
    const bool is_input = value != nullptr && rest.compare(0, 7, "inputs.") == 0;
    return {is_input ? value->Best() : own.place, true};
  }
  if (step.component == nullptr) return {own.place, false};
  const Walk declared = Follow(step.component, step.component->at, rest);
  if (declared.node == nullptr) return {own.place, false};
  if (rest.compare(0, 7, "inputs.") != 0) return {declared.place, true};
  // An input without a default is the node's to give.
  const YamlEntry* value = declared.node->Find("default");
  return value == nullptr ? Found{own.place, false} : Found{value->Best(), true};
}

SourceMap::Found SourceMap::Find(const std::string& where) const {
  const std::string prefix = "jobs.";
  if (where.compare(0, prefix.size(), prefix) == 0) {
    const std::size_t dot = where.find('.', prefix.size());
    const auto step = steps_.find(where.substr(prefix.size(), dot - prefix.size()));
    if (step != steps_.end()) {
      return FindInStep(step->second, dot == std::string::npos ? "" : where.substr(dot + 1));
    }
  }
  return FindInStep({&job_, nullptr}, where);
}

}  // namespace potok::client
