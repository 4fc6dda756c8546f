// A component or environment with everything inside that it names. One thread.
#pragma once

#include "client/frontend/azureml/asset_file.h"
#include "client/frontend/azureml/reading.h"

namespace potok::client {

// Makes trees that name no files: local code and data are stored and become potok-artifact:...,
// files of YAML and conda are put in, and registered things get their exact version. What is wrong
// is reported; what could not be stored is in status().
class Inliner {
 public:
  // Both must outlive this.
  Inliner(const FileStore& files, Reading* reading) : files_(files), reading_(reading) {}

  // A component, a node of a pipeline, or the task of a parallel step.
  const YamlNode* Node(const YamlNode& node, const Origin& origin);
  // The value of `environment:`, or a file of one.
  const YamlNode* Environment(const YamlNode& value, const Origin& origin);
  // A path of data or of a model: a text.
  const YamlNode* Data(const YamlNode& path, const Origin& origin);

  const absl::Status& status() const { return status_; }

 private:
  const YamlNode* Jobs(const YamlNode& jobs, const Origin& origin);
  const YamlNode* Component(const YamlNode& value, const Origin& origin);
  const YamlNode* Inputs(const YamlNode& inputs, const Origin& origin);
  const YamlNode* Code(const YamlNode& node, const Origin& origin);
  const YamlNode* Build(const YamlNode& build, const Origin& origin);
  // "azureml:NAME:VERSION" for what was found, else the text as it is.
  const YamlNode* Pinned(AssetKind kind, const YamlNode& text);
  const YamlNode* Text(const std::string& text, const Place& at);
  const YamlNode* Stored(const absl::StatusOr<Artifact>& artifact, const Place& at);

  const FileStore& files_;
  Reading* reading_;
  absl::Status status_;
};

}  // namespace potok::client
