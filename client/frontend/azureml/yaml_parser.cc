// Parsing of yaml_tree.h.
#include <algorithm>
#include <map>
#include <sstream>

#include "client/frontend/azureml/file_text.h"
#include "client/frontend/azureml/tree_builder.h"
#include "client/frontend/azureml/yaml_tree.h"
#include "fmt/format.h"
#include "yaml-cpp/yaml.h"

namespace potok::client {

namespace {

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
