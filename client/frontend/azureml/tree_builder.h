// Builds the tree of yaml_tree.h from yaml-cpp's events: yaml-cpp's own tree forgets duplicate
// keys, merge keys and where an alias stands. One thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "client/frontend/azureml/yaml_tree.h"
#include "yaml-cpp/eventhandler.h"
#include "yaml-cpp/yaml.h"

namespace potok::client {

// For one document. Reports duplicate keys, wrong merges and unknown tags and goes on; what leaves
// no tree is thrown as YAML::ParserException, as the parser itself does.
class TreeBuilder final : public YAML::EventHandler {
 public:
  // The pointers must outlive this; `file` belongs to the arena.
  TreeBuilder(const std::string* file, YamlArena* arena, Reporter* reporter)
      : file_(file), arena_(arena), reporter_(reporter) {}

  // Null if the document was empty.
  const YamlNode* root() const { return root_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark,
                const std::string& tag,
                YAML::anchor_t anchor,
                const std::string& value) override;
  void OnSequenceStart(const YAML::Mark& mark,
                       const std::string& tag,
                       YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override;
  void OnSequenceEnd() override;
  void OnMapStart(const YAML::Mark& mark,
                  const std::string& tag,
                  YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override;
  void OnMapEnd() override;

 private:
  struct Open {
    YamlNode* node;
    YAML::Mark mark;
    bool has_key = false;  // a map's key waits for its value
  };

  Place ToPlace(const YAML::Mark& mark) const { return {file_, mark.line + 1, mark.column + 1}; }
  bool ExpectsKey() const {
    return !open_.empty() && open_.back().node->IsMap() && !open_.back().has_key;
  }
  void ReportTag(const YAML::Mark& mark, const std::string& tag);
  const YamlNode* Remember(const YamlNode* node, YAML::anchor_t anchor);
  void AddKey(const YAML::Mark& mark, const std::string& key, bool is_plain);
  void Add(const YamlNode* node, const YAML::Mark& mark);
  static void Count(YamlNode* node, std::uint64_t values, const YAML::Mark& mark);
  void Start(YamlNode::Kind kind,
             const YAML::Mark& mark,
             const std::string& tag,
             YAML::anchor_t anchor);
  void End();
  void RefuseDuplicates(const YamlNode& map);
  void Merge(YamlNode* map, const YAML::Mark& mark);

  const std::string* file_;
  YamlArena* arena_;
  Reporter* reporter_;
  const YamlNode* root_ = nullptr;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, const YamlNode*> anchors_;
};

}  // namespace potok::client
