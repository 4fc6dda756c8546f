// YAML trees as JSON text, compact and with the keys of maps in order, so that equal trees are
// equal texts. Pure.
#pragma once

#include <string>

#include "client/frontend/azureml/yaml_tree.h"

namespace potok::client {

// `text` as a JSON string.
std::string QuotedJson(const std::string& text);

// Every scalar as a text, as it was written.
std::string JsonOfTexts(const YamlNode& node);

// Scalars as what they mean by YAML 1.1, such that reading the JSON as YAML gives the same: `yes`
// is true and 010 is 8; but where only the declared type of a port decides (`default`, `value`,
// `enum`), what was written stays.
std::string JsonOfValues(const YamlNode& node);

}  // namespace potok::client
