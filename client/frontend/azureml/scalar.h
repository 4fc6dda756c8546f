// Scalars as YAML 1.1 and PyYAML's safe_load read them (azureml's dialect), which YAML 1.2 readers
// do not: yes/no/on/off, 010, 0x1F, 1_000, 12:30, and floats that need a dot. Pure.
#pragma once

#include <string>

#include "client/frontend/azureml/yaml_tree.h"
#include "common/pipeline/spec.h"

namespace potok::client {

// A scalar with its type by YAML 1.1, and its text as Python prints that value: "8" for 010, "True"
// for yes, "750" for 12:30. A float keeps its digits, without underscores.
struct Scalar {
  ValueType type = ValueType::kString;
  std::string text;
};

// `node` is a scalar. Quoted scalars are strings.
Scalar ResolveScalar(const YamlNode& node);

// The text of a scalar that is written for a port or field of `type`, so that the declared type and
// not the spelling decides: for a string "010" stays "010" and "yes" stays "yes" (but true and
// false become True and False, as Azure ML hands them on); for a number 1e-3 is one.
std::string TextFor(const YamlNode& node, ValueType type);

// A version as Azure ML stores it: the text, of a whole number its value ("01" is "1"). Null: "".
std::string VersionText(const YamlNode* scalar);

}  // namespace potok::client
