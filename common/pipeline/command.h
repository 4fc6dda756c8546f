// Commands of steps: optional blocks, and values that reach the shell as data and never as text.
// Pure. Rule and reasons: docs/decisions/0003-values-are-data.md.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace potok {

// Bytes of a command as bash is given it, in one argument: MAX_ARG_STRLEN of execve(2), 32 pages,
// with its ending zero.
inline constexpr std::size_t kCommandBytesMax = 32 * 4096 - 1;

// Whether there is a $[[ ... ]] block in it, closed or not.
bool HasOptionalBlocks(const std::string& command);

// Removes each $[[ ... ]] block in which an input has no value, and the brackets of the others.
// `with_value` names the inputs that have one; outputs always do. "$[[:" opens no block: it is a
// line's end and a class of characters in a regular expression. INVALID_ARGUMENT for a block that
// is not closed or nested.
absl::StatusOr<std::string> ResolveOptionalBlocks(const std::string& command,
                                                  const std::set<std::string>& with_value);

// The names of own inputs and outputs that a command refers to, each with whether it stands in an
// optional block.
struct CommandReference {
  std::string name;
  bool is_output = false;
  bool in_optional_block = false;
};
absl::StatusOr<std::vector<CommandReference>> ReferencesOf(const std::string& command);

// A command ready for bash, and the variables that it reads.
struct ShellCommand {
  std::string script;
  std::map<std::string, std::string> environment;  // POTOK_INPUT_lr -> "0.1"; what it reads
};

// Replaces each ${{inputs.X}} and ${{outputs.Y}} by an expansion of an environment variable
// (POTOK_INPUT_X, POTOK_OUTPUT_Y; a dot becomes "__") that is one word and is never run, in
// whatever quoting it stands: none, '...', "...", $'...', a here-document (quoted delimiters too),
// inside
// $(...), `...` and ${...}. `inputs` and `outputs` map names to values or paths; an input that has
// no value (absent from `inputs`) expands to nothing, and alone it is no word. A command without
// references comes back as it is.
//
// INVALID_ARGUMENT where that cannot be kept: in arithmetic ($((..)), ((..)), $[..], subscripts and
// offsets, unless the value is a plain whole number), after a backslash or a dollar sign, as the
// name of a variable, for an output that is absent from `outputs`, and for a value that holds a
// zero byte or more bytes than execve(2) takes, or a script longer than kCommandBytesMax; the
// message names the reference and says what to write. `command` has no optional blocks left.
absl::StatusOr<ShellCommand> RenderForShell(const std::string& command,
                                            const std::map<std::string, std::string>& inputs,
                                            const std::map<std::string, std::string>& outputs);

}  // namespace potok
