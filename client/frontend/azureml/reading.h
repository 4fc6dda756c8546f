// What one reading of a job file shares: the tree, the problems, the spec that grows and where each
// part of it stands. One thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "client/frontend/azureml/fields.h"
#include "client/frontend/azureml/source_map.h"
#include "client/frontend/azureml/yaml_tree.h"
#include "common/pipeline/spec.h"

namespace potok::client {

// An input or output of a step: (index of the step, name).
using StepPort = std::pair<std::size_t, std::string>;

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
  // Values of the pipeline's inputs that the file itself gives, for ${{parent.inputs.X}} in fields
  // that are read before anything runs.
  std::map<std::string, std::string> literals;
  // Ports whose type the file leaves to their value or their source (type_inference.h).
  std::set<StepPort> untyped_inputs;
  std::set<StepPort> untyped_outputs;
  std::set<std::string> untyped_job_inputs;
  std::set<std::string> untyped_job_outputs;
  // Component files by absolute path, parsed once; null where that failed.
  std::map<std::string, const YamlNode*> files;
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
