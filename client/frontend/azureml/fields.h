// Reads the fields of one map and remembers which were asked for, so that the rest is unknown. One
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "client/frontend/azureml/yaml_tree.h"

namespace potok::client {

// Replaces ${{parent.inputs.X}} in a scalar by the value that the pipeline's input has in the file.
// Says what is wrong and returns nothing if there is none.
using Resolver =
    std::function<std::optional<std::string>(const std::string& text, const Place& at)>;

// Readers return nothing (or an empty value) for a field that is absent or empty, and for one of
// the wrong kind after they have said so.
class Fields {
 public:
  // `map` may be null: no fields. Anything but a map is reported. `what` begins messages: "node
  // 'train'". The pointers must outlive this.
  Fields(const YamlNode* map, std::string what, Reporter* reporter, Resolver resolve = nullptr);

  // The value of a key, or null if it is absent or empty.
  const YamlNode* Value(const std::string& key);
  // Of one kind.
  const YamlNode* Map(const std::string& key);
  const YamlNode* List(const std::string& key);
  const YamlNode* Scalar(const std::string& key);

  // A scalar's text as written, its expressions replaced if there is a resolver.
  std::string Text(const std::string& key);
  // As written, expressions and all.
  std::string RawText(const std::string& key);
  // Text in lower case: names of kinds are case-insensitive.
  std::string Word(const std::string& key);
  std::optional<bool> Flag(const std::string& key);
  std::optional<std::int64_t> Whole(const std::string& key, std::int64_t min, std::int64_t max);
  // A map of texts. Plain numbers and booleans are refused, as by Azure ML, unless `lax`: then they
  // are kept as written. `resolve` applies to the values.
  enum class Strictness { kTextsOnly, kAnyScalar };
  std::map<std::string, std::string> Texts(const std::string& key, Strictness strictness);
  std::vector<std::string> TextList(const std::string& key);

  // Marks keys as known that mean nothing to Potok.
  void Ignore(const std::vector<std::string>& keys);
  // Reports every key that nobody asked for.
  void ReportUnknown(Severity severity);

  // Where to point for a key: its value, else its key, else the map.
  Place At(const std::string& key) const;
  const YamlNode* map() const { return map_; }
  const std::string& what() const { return what_; }

 private:
  const YamlNode* OfKind(const std::string& key, YamlNode::Kind kind, const char* wanted);
  std::string Resolved(const YamlNode& scalar) const;

  const YamlNode* map_;
  std::string what_;
  Reporter* reporter_;
  Resolver resolve_;
  std::vector<std::string> known_;
};

// Joined by ", ".
std::string Joined(const std::vector<std::string>& words);

}  // namespace potok::client
