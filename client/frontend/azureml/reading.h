// What one reading of a job file shares: the tree, the problems, the spec that grows and where each
// part of it stands. One thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "client/frontend/azureml/assets.h"
#include "client/frontend/azureml/fields.h"
#include "client/frontend/azureml/source_map.h"
#include "client/frontend/azureml/yaml_tree.h"
#include "common/pipeline/spec.h"

namespace potok::client {

// An input or output of a step: (index of the step, name).
using StepPort = std::pair<std::size_t, std::string>;

// A component file that is being read, as part of itself or not.
struct OpenComponent {
  const YamlNode* map = nullptr;
  std::string shown;
};

// One pipeline while its nodes are read: the job's own, or a component's as one node uses it.
struct Scope {
  std::string owner;  // "", or the whole name of the node: "train"
  // Values of the pipeline's inputs that the files themselves give, for ${{parent.inputs.X}} in
  // fields that are read before anything runs.
  std::map<std::string, std::string> literals;
  std::vector<Step> steps;
  // Ports whose type the file leaves to their value or their source (type_inference.h).
  std::set<StepPort> untyped_inputs;
  std::set<StepPort> untyped_outputs;
  std::set<std::string> untyped_pipeline_inputs;
  std::set<std::string> untyped_pipeline_outputs;
  // Steps of which no file says what ports they have: they have those that others name.
  std::set<std::size_t> open_ports;
  std::vector<OpenComponent> open_components;  // the outermost first
  // The pipeline's own ports, while its nodes are read.
  const std::vector<Input>* inputs = nullptr;
  const std::vector<Output>* outputs = nullptr;
  // Its loops: the node that each repeats, and whether outputs are gathered (parallel_for).
  struct Loop {
    std::string body;
    bool gathers = false;
  };
  std::map<std::string, Loop> loops;

  // Of a node that turned out to be no step: what was noted of the ports of the step to come.
  void ForgetPorts() {
    const std::size_t next = steps.size();
    const auto is_next = [next](const StepPort& port) { return port.first >= next; };
    std::erase_if(untyped_inputs, is_next);
    std::erase_if(untyped_outputs, is_next);
    open_ports.erase(open_ports.lower_bound(next), open_ports.end());
  }

  // "train/fit" of "fit".
  std::string FullName(const std::string& node) const {
    return owner.empty() ? node : owner + "/" + node;
  }
  // The step of that name, or the number of steps.
  std::size_t IndexOf(const std::string& node) const;
};

// A file or folder that does not exist, or data that is not registered, of an input of the job.
struct MissingPath {
  std::string input;
  Place at;
  std::string message;
};

struct Reading {
  YamlArena arena;
  Reporter reporter;
  PipelineSpec spec;
  SourceMap sources;
  // Parts in which something is wrong already, by their Problem::where ("jobs.train.inputs.lr"):
  // what Validate says of them may only follow from that.
  std::set<std::string> broken;
  // False when the spec lacks so much that Validate would mislead: a step, or a port of the
  // pipeline.
  bool is_whole = true;
  // The pipeline whose nodes are read now; ReadJob sets it, and each component while it is read.
  Scope* scope = nullptr;
  // Wrong only if something that is run here reads them.
  std::vector<MissingPath> missing;
  std::size_t steps_read = 0;  // of all pipelines
  // Component files by absolute path, parsed once; null where that failed.
  std::map<std::string, const YamlNode*> files;
  // What is registered, and null if nobody is to be asked; what was found of it, by kind and the
  // text that names it: within one file `latest` means one version.
  Assets* assets = nullptr;
  std::map<std::pair<AssetKind, std::string>, absl::StatusOr<AssetDocument>> found_assets;
  // Tells the content of build contexts; may be null.
  FolderContent folder_content;
};

// The file that a value stands in: relative paths start at its folder.
struct Origin {
  std::string folder;  // absolute
  std::string shown;   // the folder as messages write it, "" for the current one
};

// The absolute, normal form of `path` as written in a file of `origin`.
std::string AbsoluteFrom(const Origin& origin, const std::string& path);
// The same for messages: relative if the user's was.
std::string ShownFrom(const Origin& origin, const std::string& path);
// The origin of values in the file `path` (as the user wrote it, or as ShownFrom gives it).
Origin OriginOf(const std::string& path);

// Replaces ${{parent.inputs.X}} by what the pipeline's inputs say.
Resolver ResolverOf(Reading* reading);

}  // namespace potok::client
