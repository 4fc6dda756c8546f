// Commands that need no shell. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace potok::agent {

// The words of a command that bash would run as exactly one program with exactly these arguments:
// only blanks and plain characters [A-Za-z0-9_./=:,@%+-], the first word no builtin, keyword,
// assignment or job. Nothing otherwise. make(1) does the same: a shell costs more than most small
// programs do. See docs/decisions/0007-how-commands-run.md.
std::optional<std::vector<std::string>> PlainWords(const std::string& command);

}  // namespace potok::agent
