// Parsing of yaml_tree.h, by yaml-cpp's events: its own tree forgets duplicate keys, merge keys and
// where an alias stands.
#include <algorithm>
#include <map>
#include <sstream>
#include <unordered_map>

#include "client/frontend/azureml/file_text.h"
#include "client/frontend/azureml/yaml_tree.h"
#include "fmt/format.h"
#include "yaml-cpp/eventhandler.h"
#include "yaml-cpp/yaml.h"

namespace potok::client {

namespace {

constexpr const char* kStringTag = "tag:yaml.org,2002:str";
const std::set<std::string>& PlainTags() {
  static const std::set<std::string> tags = {"tag:yaml.org,2002:int",
                                             "tag:yaml.org,2002:float",
                                             "tag:yaml.org,2002:bool",
                                             "tag:yaml.org,2002:null",
                                             "tag:yaml.org,2002:map",
                                             "tag:yaml.org,2002:seq"};
  return tags;
}

// Builds the tree from yaml-cpp's events. Leaves by YAML::ParserException, like the parser itself.
class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(const std::string* file, YamlArena* arena, Reporter* reporter)
      : file_(file), arena_(arena), reporter_(reporter) {}

  const YamlNode* root() const { return root_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (ExpectsKey()) throw YAML::ParserException(mark, "a key is empty; write a name before ':'");
    Place at = ToPlace(mark);
    // The parser has already gone on to the next line.
    if (!open_.empty() && open_.back().node->IsMap()) at = open_.back().node->entries.back().at;
    Add(Remember(arena_->New(YamlNode::Kind::kNull, at), anchor), mark);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const YamlNode* target = anchors_.at(anchor);
    for (const Open& open : open_) {
      if (open.node == target) {
        throw YAML::ParserException(
            mark, "an alias stands inside the value that it names, which would never end");
      }
    }
    if (ExpectsKey()) {
      if (!target->IsScalar()) throw YAML::ParserException(mark, "a key must be a text");
      return AddKey(mark, target->text, true);
    }
    Add(target, mark);
  }

  void OnScalar(const YAML::Mark& mark,
                const std::string& tag,
                YAML::anchor_t anchor,
                const std::string& value) override {
    if (value.find('\0') != std::string::npos) {
      throw YAML::ParserException(mark, "a text holds a NUL character (\\0); take it out");
    }
    const bool is_plain = tag == "?" || PlainTags().contains(tag);
    if (!is_plain && tag != "!" && tag != kStringTag) ReportTag(mark, tag);
    if (ExpectsKey()) {
      if (anchor != YAML::NullAnchor) {
        YamlNode* node = arena_->New(YamlNode::Kind::kScalar, ToPlace(mark));
        node->text = value;
        anchors_[anchor] = node;
      }
      return AddKey(mark, value, is_plain);
    }
    YamlNode* node = arena_->New(YamlNode::Kind::kScalar, ToPlace(mark));
    node->text = value;
    node->is_plain = is_plain;
    Add(Remember(node, anchor), mark);
  }

  void OnSequenceStart(const YAML::Mark& mark,
                       const std::string& tag,
                       YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Start(YamlNode::Kind::kList, mark, tag, anchor);
  }
  void OnSequenceEnd() override { End(); }

  void OnMapStart(const YAML::Mark& mark,
                  const std::string& tag,
                  YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Start(YamlNode::Kind::kMap, mark, tag, anchor);
  }
  void OnMapEnd() override {
    RefuseDuplicates(*open_.back().node);
    Merge(open_.back().node, open_.back().mark);
    End();
  }

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

  void ReportTag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!" || PlainTags().contains(tag)) return;
    reporter_->Error(ToPlace(mark),
                     fmt::format("the tag '{}' is not supported; leave it out", tag));
  }

  const YamlNode* Remember(const YamlNode* node, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) anchors_[anchor] = node;
    return node;
  }

  void AddKey(const YAML::Mark& mark, const std::string& key, bool is_plain) {
    Open& open = open_.back();
    open.has_key = true;
    // A quoted "<<" is an ordinary key; none has this name, so it is refused where keys are known.
    open.node->entries.push_back(
        {is_plain || key != "<<" ? key : "\"<<\"", ToPlace(mark), nullptr});
  }

  void Add(const YamlNode* node, const YAML::Mark& mark) {
    if (open_.empty()) {
      root_ = node;
      return;
    }
    Open& open = open_.back();
    if (open.node->IsMap()) {
      open.node->entries.back().value = node;
      open.has_key = false;
    } else {
      open.node->items.push_back(node);
    }
    open.node->depth = std::max(open.node->depth, node->depth + 1);
    if (open.node->depth > kDepthMax) {
      throw YAML::ParserException(mark, "values are nested too deeply");
    }
    Count(open.node, node->values, mark);
  }

  static void Count(YamlNode* node, std::uint64_t values, const YAML::Mark& mark) {
    node->values += values;
    if (node->values > kValuesMax) {
      throw YAML::ParserException(
          mark,
          fmt::format("with its aliases written out the file has more than {} values", kValuesMax));
    }
  }

  void Start(YamlNode::Kind kind,
             const YAML::Mark& mark,
             const std::string& tag,
             YAML::anchor_t anchor) {
    ReportTag(mark, tag);
    if (ExpectsKey())
      throw YAML::ParserException(mark, "a key must be a text, not a list or a map");
    YamlNode* node = arena_->New(kind, ToPlace(mark));
    Remember(node, anchor);
    open_.push_back({node, mark});
  }

  void End() {
    const Open closed = open_.back();
    open_.pop_back();
    Add(closed.node, closed.mark);
  }

  void RefuseDuplicates(const YamlNode& map) {
    std::unordered_map<std::string, const YamlEntry*> first;
    for (const YamlEntry& entry : map.entries) {
      const auto [found, is_new] = first.emplace(entry.key, &entry);
      if (is_new) continue;
      reporter_->Error(
          entry.at,
          fmt::format("the key '{}' is written twice; the first is on line {}, keep one",
                      entry.key,
                      found->second->at.line));
    }
  }

  // YAML 1.1's merge key: the entries of the maps that `<<` names, unless the map has them itself;
  // of a list the earlier map wins.
  void Merge(YamlNode* map, const YAML::Mark& mark) {
    const YamlEntry* merge = map->Find("<<");
    if (merge == nullptr) return;
    const YamlEntry key = *merge;
    std::vector<YamlEntry> entries;
    std::set<std::string> known;
    for (const YamlEntry& entry : map->entries) {
      if (entry.key == "<<") continue;
      known.insert(entry.key);
      entries.push_back(entry);
    }
    std::vector<const YamlNode*> sources = {key.value};
    if (key.value->IsList()) sources = key.value->items;
    for (const YamlNode* source : sources) {
      if (!source->IsMap()) {
        reporter_->Error(key.at, "'<<' merges maps; name a map, or a list of maps, by its alias");
        continue;
      }
      for (const YamlEntry& entry : source->entries) {
        if (!known.insert(entry.key).second) continue;
        entries.push_back(entry);
        Count(map, entry.value->values, mark);
      }
    }
    map->entries = std::move(entries);
  }

  const std::string* file_;
  YamlArena* arena_;
  Reporter* reporter_;
  const YamlNode* root_ = nullptr;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, const YamlNode*> anchors_;
};

// The parser's words, with what to look at where that is known. `line` is where it stopped.
std::string Explain(const std::string& message, const std::string& line) {
  static const std::map<std::string, std::string> hints = {
      {"illegal map value", "check the indentation, and quote a text that holds ': '"},
      {"end of map not found", "check the indentation of this line"},
      {"end of sequence not found", "check the indentation of this line"},
      {"end of map flow not found", "a '}' is missing"},
      {"end of sequence flow not found", "a ']' is missing"},
      {"illegal EOF in scalar", "a closing quote is missing"},
      {"illegal block entry", "'- ' starts a list item, which cannot stand here"},
  };
  const std::size_t tab = line.find('\t');
  if (tab != std::string::npos && tab < line.find_first_not_of(" \t")) {
    return "a tab indents this line; indent with blanks";
  }
  // What yaml-cpp's DepthGuard says.
  if (message == "bad file") return "values are nested too deeply";
  const auto hint = hints.find(message);
  return hint == hints.end() ? message : fmt::format("{}; {}", message, hint->second);
}

std::string LineOf(const std::string& text, int number) {
  std::istringstream lines(text);
  std::string line;
  for (int i = 0; i <= number && std::getline(lines, line); ++i) continue;
  return line;
}

Place PlaceOfByte(const std::string& text, std::size_t at, const std::string* file) {
  const auto begin = text.begin();
  const auto end = begin + static_cast<std::ptrdiff_t>(at);
  const std::size_t line_start = at == 0 ? std::string::npos : text.rfind('\n', at - 1);
  const std::size_t column = line_start == std::string::npos ? at : at - line_start - 1;
  return {file, static_cast<int>(std::count(begin, end, '\n')) + 1, static_cast<int>(column) + 1};
}

}  // namespace

const YamlNode* ParseYamlText(const std::string& text,
                              const std::string& shown,
                              YamlArena* arena,
                              Reporter* reporter) {
  const std::string* file = arena->File(shown);
  if (const auto bad = FindBadByte(text)) {
    const auto byte = static_cast<unsigned char>(text[*bad]);
    reporter->Error(
        PlaceOfByte(text, *bad, file),
        byte < 0x80 ? fmt::format("the control character 0x{:02x} stands here; take it out", byte)
                    : fmt::format("the byte 0x{:02x} is not UTF-8; save the file as UTF-8", byte));
    return nullptr;
  }
  // yaml-cpp misses an open quote when the file ends with its line; a comment behind it shows.
  std::istringstream stream(text.empty() || text.back() != '\n' ? text : text + "#");
  try {
    YAML::Parser parser(stream);
    TreeBuilder builder(file, arena, reporter);
    if (!parser.HandleNextDocument(builder) || builder.root() == nullptr) {
      return arena->New(YamlNode::Kind::kNull, {file, 1, 1});
    }
    TreeBuilder second(file, arena, reporter);
    if (parser.HandleNextDocument(second)) {
      Place at = second.root() == nullptr ? Place{file, 1, 1} : second.root()->at;
      reporter->Error(at, "a second YAML document begins; keep one document in a file");
    }
    return builder.root();
  } catch (const YAML::Exception& failure) {
    const YAML::Mark mark = failure.mark.is_null() ? YAML::Mark() : failure.mark;
    // At the end of the file the parser stands behind its last line.
    const bool is_behind = text.back() == '\n' && mark.pos >= static_cast<int>(text.size());
    const Place at = is_behind ? PlaceOfByte(text, text.size() - 1, file)
                               : Place{file, mark.line + 1, mark.column + 1};
    reporter->Error(at, "this is not YAML: " + Explain(failure.msg, LineOf(text, mark.line)));
    return nullptr;
  }
}

const YamlNode* ParseYamlFile(const std::string& path,
                              const std::string& shown,
                              const Place& named_at,
                              YamlArena* arena,
                              Reporter* reporter) {
  const absl::StatusOr<std::string> text = ReadFileText(path, kFileBytesMax);
  if (!text.ok()) {
    reporter->Error(
        named_at,
        fmt::format("'{}' cannot be read: {}", shown, std::string(text.status().message())));
    return nullptr;
  }
  return ParseYamlText(*text, shown, arena, reporter);
}

}  // namespace potok::client
