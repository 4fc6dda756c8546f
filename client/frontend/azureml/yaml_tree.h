// YAML as a tree that knows where each value stands, whether a scalar was quoted, and nothing of
// pipelines. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <vector>

#include "client/frontend/azureml/diagnostics.h"

namespace potok::client {

inline constexpr std::size_t kFileBytesMax = std::size_t{64} << 20;
// Values after aliases are written out: far above any pipeline of 100,000 steps, far below what
// fills memory ("billion laughs").
inline constexpr std::uint64_t kValuesMax = 20'000'000;
// Levels after aliases are written out; no job file needs twenty.
inline constexpr int kDepthMax = 500;

struct YamlNode;

struct YamlEntry {
  std::string key;
  Place at;  // of the key
  const YamlNode* value = nullptr;

  // Where to point for this entry: at a text itself, at the key of anything else.
  Place Best() const;
};

struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  // A scalar that YAML may read as a number or a boolean: neither quoted nor tagged as text.
  bool is_plain = false;
  Place at;  // of an empty value: of its key
  std::string text;
  std::vector<const YamlNode*> items;
  std::vector<YamlEntry> entries;  // in written order, merged keys (`<<`) after the own ones
  std::uint64_t values = 1;        // with everything below, aliases written out
  int depth = 1;                   // likewise

  bool IsMap() const { return kind == Kind::kMap; }
  bool IsList() const { return kind == Kind::kList; }
  bool IsScalar() const { return kind == Kind::kScalar; }
  bool IsNull() const { return kind == Kind::kNull; }
  // The entry of `key`, or null.
  const YamlEntry* Find(const std::string& key) const;
};

// "a map", "a list", "a text", "empty": for messages.
const char* NameOf(YamlNode::Kind kind);

// Owns nodes and file names; pointers to them stay valid as long as it lives.
class YamlArena {
 public:
  YamlNode* New(YamlNode::Kind kind, const Place& at);
  const std::string* File(const std::string& name);

 private:
  std::deque<YamlNode> nodes_;
  std::set<std::string> files_;
};

// Reads the one document of the file `path`, which messages call `shown`. Null if that cannot be
// done; then, and for duplicate keys and unknown tags, `reporter` has said so: of a file that
// cannot be opened at `named_at`, where it is named. An empty file is kNull.
const YamlNode* ParseYamlFile(const std::string& path,
                              const std::string& shown,
                              const Place& named_at,
                              YamlArena* arena,
                              Reporter* reporter);

// The same for text.
const YamlNode* ParseYamlText(const std::string& text,
                              const std::string& shown,
                              YamlArena* arena,
                              Reporter* reporter);

}  // namespace potok::client
