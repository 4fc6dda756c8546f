#include "client/frontend/azureml/component_check.h"

#include "absl/strings/ascii.h"
#include "common/pipeline/names.h"
#include "common/pipeline/spec.h"

namespace potok::client {

namespace {

YamlNode* NewText(const std::string& text, const Place& at, YamlArena* arena) {
  YamlNode* node = arena->New(YamlNode::Kind::kScalar, at);
  node->text = text;
  return node;
}

YamlNode* NewMap(const Place& at, YamlArena* arena) {
  return arena->New(YamlNode::Kind::kMap, at);
}

const YamlNode* MemberOf(const YamlNode* map, const char* key) {
  const YamlEntry* entry = map->IsMap() ? map->Find(key) : nullptr;
  return entry == nullptr || entry->value->IsNull() ? nullptr : entry->value;
}

std::string MemberText(const YamlNode* map, const char* key) {
  const YamlNode* member = MemberOf(map, key);
  return member == nullptr || !member->IsScalar() ? "" : member->text;
}

bool IsNeeded(const YamlNode* declaration) {
  return declaration->IsMap() && MemberOf(declaration, "default") == nullptr &&
         absl::AsciiStrToLower(MemberText(declaration, "optional")) != "true";
}

// A value that an input of this declaration may have. Null: none is known, and the declaration is
// wrong in itself.
const YamlNode* FittingValue(const YamlNode* declaration, YamlArena* arena) {
  const std::optional<ValueType> type = ParseValueType(MemberText(declaration, "type"));
  if (!type) return nullptr;
  const Place& at = declaration->at;
  if (!IsPrimitive(*type)) {
    YamlNode* data = NewMap(at, arena);
    data->entries = {{"type", at, NewText(NameOf(*type), at, arena)},
                     {"path", at, NewText("azureml://datastores/any/paths/any", at, arena)}};
    return data;
  }
  const YamlNode* choices = MemberOf(declaration, "enum");
  if (choices != nullptr && choices->IsList() && !choices->items.empty()) {
    return choices->items.front();
  }
  for (const char* bound : {"min", "max"}) {
    if (const YamlNode* value = MemberOf(declaration, bound)) return value;
  }
  if (*type == ValueType::kBoolean) return NewText("true", at, arena);
  return NewText(*type == ValueType::kString ? "text" : "1", at, arena);
}

const YamlNode* FittingInputs(const YamlNode* declarations, YamlArena* arena) {
  YamlNode* inputs = NewMap(declarations->at, arena);
  if (!declarations->IsMap()) return inputs;
  for (const YamlEntry& entry : declarations->entries) {
    if (!IsNeeded(entry.value)) continue;
    if (const YamlNode* value = FittingValue(entry.value, arena)) {
      inputs->entries.push_back({entry.key, entry.at, value});
    }
  }
  return inputs;
}

}  // namespace

const YamlNode* JobOfComponent(const YamlNode* component, YamlArena* arena) {
  const Place& at = component->at;
  const std::string name = MemberText(component, "name");
  YamlNode* node = NewMap(at, arena);
  node->entries.push_back({"component", at, component});
  if (const YamlNode* declarations = MemberOf(component, "inputs")) {
    node->entries.push_back({"inputs", at, FittingInputs(declarations, arena)});
  }
  YamlNode* jobs = NewMap(at, arena);
  jobs->entries.push_back({IsStepName(name) ? name : "component", at, node});
  YamlNode* job = NewMap(at, arena);
  job->entries = {{"type", at, NewText("pipeline", at, arena)}, {"jobs", at, jobs}};
  return job;
}

}  // namespace potok::client
