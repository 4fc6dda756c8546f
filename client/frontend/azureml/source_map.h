// Where a part of the spec stands in the files: from the words of Problem::where to a place. One
// thread; reads the trees, copies nothing.
#pragma once

#include <string>
#include <unordered_map>

#include "client/frontend/azureml/yaml_tree.h"

namespace potok::client {

class SourceMap {
 public:
  // The job's map. It and all nodes given below outlive this.
  void SetRoot(const YamlNode* root) { root_ = root; }
  // A step is the node `entry` of `jobs`, and what the node leaves out is in `component` (null for
  // an inline node).
  void AddStep(const YamlEntry* entry, const YamlNode* component);

  // The place of "jobs.train.inputs.lr", "inputs.data", "command"...: of the binding if there is
  // one, else of the declaration if that gives the value, else of what is nearest around it.
  Place Find(const std::string& where) const;

 private:
  struct Step {
    const YamlEntry* entry = nullptr;
    const YamlNode* component = nullptr;
  };
  static Place FindInStep(const Step& step, const std::string& rest);

  const YamlNode* root_ = nullptr;
  std::unordered_map<std::string, Step> steps_;
};

}  // namespace potok::client
