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
  void SetRoot(const YamlNode* root) { job_ = {"", root->at, root}; }
  // Of a job that is a component: what the job leaves out is there.
  void SetComponent(const YamlNode* component) { component_ = component; }
  // A step, by its whole name, is the node `entry` of `jobs`, and what the node leaves out is in
  // `component` (null for an inline node).
  void AddStep(const std::string& name, const YamlEntry* entry, const YamlNode* component);

  // A loop is the node `entry`, and what that leaves out is in the node `body`, which was added
  // before and whose steps are called by the loop's name from now on. Whole names.
  void AddLoop(const YamlEntry* entry, const std::string& name, const std::string& body);

  // The step of a standalone job stands at the root.
  void SetOnlyStep(const std::string& name);

  // The place of "jobs.train.inputs.lr", "inputs.data", ...: of the binding if there is one, else
  // of the declaration if that gives the value, else of what is nearest around it.
  struct Found {
    Place place;
    bool is_exact = true;  // false: only of what is around it
  };
  Found Find(const std::string& where) const;

 private:
  struct Step {
    const YamlEntry* entry = nullptr;
    const YamlNode* component = nullptr;
    std::string body;  // of a loop: the whole name of its body
  };
  static Found FindInStep(const Step& step, const std::string& rest);

  YamlEntry job_;
  const YamlNode* component_ = nullptr;
  std::unordered_map<std::string, Step> steps_;
};

}  // namespace potok::client
