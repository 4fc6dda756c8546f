#include "client/frontend/azureml/source_map.h"

#include <utility>
#include <vector>

#include "common/pipeline/control.h"

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

// The path in the file of `rest`. What an if_else and a parallel_for read stands in a key of its
// own.
std::string InFile(const YamlNode& step, const std::string& rest) {
  const std::string inputs = "inputs.";
  if (rest == inputs + kItemsInput) return "items";
  const bool is_condition =
      rest == inputs + kConditionInput && step.IsMap() &&
      (step.Find("true_block") != nullptr || step.Find("false_block") != nullptr);
  return is_condition ? kConditionInput : rest;
}

}  // namespace

void SourceMap::AddStep(const std::string& name,
                        const YamlEntry* entry,
                        const YamlNode* component) {
  steps_[name] = {entry, component, ""};
}

void SourceMap::AddLoop(const YamlEntry* entry, const std::string& name, const std::string& body) {
  std::vector<std::pair<std::string, Step>> moved;
  for (const auto& [key, step] : steps_) {
    if (key.compare(0, body.size() + 1, body + "/") != 0) continue;
    moved.emplace_back(name + key.substr(body.size()), step);
    if (!step.body.empty()) moved.back().second.body = name + step.body.substr(body.size());
  }
  const auto own = steps_.find(body);
  if (own != steps_.end()) {
    Step step = own->second;
    if (!step.body.empty()) step.body = name + "/body" + step.body.substr(body.size());
    moved.emplace_back(name + "/body", std::move(step));
  }
  for (auto& [key, step] : moved) steps_[key] = std::move(step);
  steps_[name] = {entry, nullptr, name + "/body"};
}

void SourceMap::SetOnlyStep(const std::string& name) {
  steps_[name] = {&job_, nullptr, ""};
}

SourceMap::Found SourceMap::FindInStep(const Step& step, const std::string& rest) {
  const Walk own = Follow(step.entry->value, step.entry->at, InFile(*step.entry->value, rest));
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
      const std::string rest = dot == std::string::npos ? "" : where.substr(dot + 1);
      const Found own = FindInStep(step->second, rest);
      const auto body = own.is_exact ? steps_.end() : steps_.find(step->second.body);
      const Found of_body = body == steps_.end() ? own : FindInStep(body->second, rest);
      return of_body.is_exact ? of_body : own;
    }
  }
  return FindInStep({&job_, component_, ""}, where);
}

}  // namespace potok::client
