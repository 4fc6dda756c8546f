#include "client/frontend/azureml/yaml_tree.h"

namespace potok::client {

Place YamlEntry::Best() const {
  return value->IsScalar() ? value->at : at;
}

const YamlEntry* YamlNode::Find(const std::string& key) const {
  for (const YamlEntry& entry : entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

const char* NameOf(YamlNode::Kind kind) {
  switch (kind) {
    case YamlNode::Kind::kNull:
      return "empty";
    case YamlNode::Kind::kScalar:
      return "a text";
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMap:
      return "a map";
  }
  return "";
}

YamlNode* YamlArena::New(YamlNode::Kind kind, const Place& at) {
  YamlNode& node = nodes_.emplace_back();
  node.kind = kind;
  node.at = at;
  return &node;
}

const std::string* YamlArena::File(const std::string& name) {
  return &*files_.insert(name).first;
}

}  // namespace potok::client
