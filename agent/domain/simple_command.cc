#include "agent/domain/simple_command.h"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace potok::agent {
namespace {

// Of bash 5.2: `compgen -b` and `compgen -k`, those of plain characters. Sorted.
constexpr std::string_view kShellWords[] = {
    ".",       ":",      "alias",   "bg",       "bind",     "break",     "builtin",  "caller",
    "case",    "cd",     "command", "compgen",  "complete", "compopt",   "continue", "coproc",
    "declare", "dirs",   "disown",  "do",       "done",     "echo",      "elif",     "else",
    "enable",  "esac",   "eval",    "exec",     "exit",     "export",    "false",    "fc",
    "fg",      "fi",     "for",     "function", "getopts",  "hash",      "help",     "history",
    "if",      "in",     "jobs",    "kill",     "let",      "local",     "logout",   "mapfile",
    "popd",    "printf", "pushd",   "pwd",      "read",     "readarray", "readonly", "return",
    "select",  "set",    "shift",   "shopt",    "source",   "suspend",   "test",     "then",
    "time",    "times",  "trap",    "true",     "type",     "typeset",   "ulimit",   "umask",
    "unalias", "unset",  "until",   "wait",     "while"};

bool IsPlain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_./=:,@%+-").find(c) != std::string_view::npos;
}

bool IsProgramWord(const std::string& word) {
  return word[0] != '%' && word.find('=') == std::string::npos &&
         !std::binary_search(
             std::begin(kShellWords), std::end(kShellWords), std::string_view(word));
}

}  // namespace

std::optional<std::vector<std::string>> PlainWords(const std::string& command) {
  // A newline ends a command, but for those at the ends.
  const std::size_t begin = command.find_first_not_of(" \t\n");
  if (begin == std::string::npos) return std::nullopt;
  const std::size_t end = command.find_last_not_of(" \t\n") + 1;
  std::vector<std::string> words(1);
  for (std::size_t i = begin; i < end; ++i) {
    const char c = command[i];
    if (c == ' ' || c == '\t') {
      if (!words.back().empty()) words.emplace_back();
    } else if (IsPlain(c)) {
      words.back() += c;
    } else {
      return std::nullopt;
    }
  }
  if (!IsProgramWord(words.front())) return std::nullopt;
  return words;
}

}  // namespace potok::agent
