#include "common/cas/ignore.h"

#include <fnmatch.h>

#include <memory>
#include <optional>
#include <vector>

#include "common/base/status_macros.h"
#include "common/cas/disk_file.h"
#include "fmt/format.h"

namespace potok {

namespace {

using Parts = std::vector<std::string>;

// One line of an ignore file (gitignore(5), "PATTERN FORMAT").
struct Pattern {
  Parts parts;  // between the slashes; "**" stands for any number of folders
  bool negated = false;
  bool folders_only = false;
};

Parts Split(const std::string& text) {
  Parts parts;
  std::string part;
  for (const char c : text + "/") {
    if (c != '/') {
      part += c;
    } else if (!part.empty()) {
      parts.push_back(std::exchange(part, {}));
    }
  }
  return parts;
}

std::string WithoutTrailingSpaces(std::string line) {
  while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r')) {
    const bool escaped = line.size() > 1 && line[line.size() - 2] == '\\' && line.back() != '\r';
    if (escaped) break;
    line.pop_back();
  }
  return line;
}

std::optional<Pattern> ParseLine(const std::string& raw) {
  std::string line = WithoutTrailingSpaces(raw);
  if (line.empty() || line[0] == '#') return std::nullopt;
  Pattern pattern;
  if (line[0] == '!') {
    pattern.negated = true;
    line.erase(0, 1);
  }
  const std::size_t slash = line.find('/');
  const bool anchored = slash != std::string::npos && slash + 1 < line.size();
  pattern.folders_only = !line.empty() && line.back() == '/';
  if (!anchored) pattern.parts.emplace_back("**");
  for (std::string& part : Split(line)) pattern.parts.push_back(std::move(part));
  // Nothing but slashes names nothing.
  if (pattern.parts.size() == (anchored ? 0U : 1U)) return std::nullopt;
  return pattern;
}

bool MatchesFrom(
    const Parts& pattern, std::size_t p, const Parts& path, std::size_t n, std::size_t k) {
  if (p == pattern.size()) return k == n;
  if (pattern[p] != "**") {
    return k < n && fnmatch(pattern[p].c_str(), path[k].c_str(), 0) == 0 &&
           MatchesFrom(pattern, p + 1, path, n, k + 1);
  }
  // At the end it means everything inside, but not the folder itself.
  if (p + 1 == pattern.size()) return k < n;
  if (pattern[p + 1] == "**") return MatchesFrom(pattern, p + 1, path, n, k);
  for (; k < n; ++k) {
    if (MatchesFrom(pattern, p + 1, path, n, k)) return true;
  }
  return false;
}

// True if the pattern names the path or one of the folders that it lies in.
bool Matches(const Pattern& pattern, const Parts& path, bool is_folder) {
  for (std::size_t n = 1; n <= path.size(); ++n) {
    const bool prefix_is_folder = n < path.size() || is_folder;
    if (pattern.folders_only && !prefix_is_folder) continue;
    if (MatchesFrom(pattern.parts, 0, path, n, 0)) return true;
  }
  return false;
}

// The last pattern that matches decides. As Azure ML does (and unlike git), '!' brings a file back
// even out of an ignored folder; so a folder is left out as a whole only when no '!' follows.
bool Ignored(const std::vector<Pattern>& patterns, const std::string& relative) {
  const Parts path = Split(relative);
  const bool is_folder = !relative.empty() && relative.back() == '/';
  for (auto pattern = patterns.rbegin(); pattern != patterns.rend(); ++pattern) {
    if (is_folder && pattern->negated) return false;
    if (Matches(*pattern, path, is_folder)) return !pattern->negated;
  }
  return false;
}

std::vector<Pattern> ParseRules(const std::string& text) {
  constexpr char kByteOrderMark[] = "\xEF\xBB\xBF";
  std::vector<Pattern> patterns;
  std::size_t start = text.rfind(kByteOrderMark, 0) == 0 ? 3 : 0;
  while (start < text.size()) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    if (auto pattern = ParseLine(text.substr(start, end - start))) {
      patterns.push_back(*std::move(pattern));
    }
    start = end + 1;
  }
  return patterns;
}

}  // namespace

absl::StatusOr<std::function<bool(const std::string&)>> IgnoreRulesOf(const std::string& path) {
  for (const char* name : {".amlignore", ".gitignore"}) {
    auto text = ReadWholeFile(fmt::format("{}/{}", path, name));
    if (absl::IsNotFound(text.status())) continue;
    POTOK_RETURN_IF_ERROR(text.status());
    auto patterns = std::make_shared<const std::vector<Pattern>>(ParseRules(*text));
    return [patterns](const std::string& relative) { return Ignored(*patterns, relative); };
  }
  return [](const std::string&) { return false; };
}

}  // namespace potok
