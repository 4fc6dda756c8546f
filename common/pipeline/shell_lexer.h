// Cuts a bash command at its ${{...}} references and says in what quoting each stands. Pure.
// The rules are bash(1)'s, "QUOTING", "EXPANSION" and "Here Documents"; what this reads in another
// way than bash is a bug.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "common/pipeline/template.h"

namespace potok {

// How bash reads the place where a reference stands.
enum class Quoting {
  kNone,          // words of a command, and patterns of ${x#...} in whatever quotes
  kDouble,        // "..." and $"..."
  kSingle,        // '...'
  kAnsi,          // $'...'
  kHereDocument,  // the text of <<EOF
  kArithmetic,    // $((...)), ((...)), $[...], and the subscripts and offsets of variables
};

struct ShellReference {
  Expression target;     // OwnInput or OwnOutput
  std::string spelling;  // as in the command: "${{ inputs.x }}"
  Quoting quoting = Quoting::kNone;
};

// Bash text that stays as it is, or a reference.
using ShellPiece = std::variant<std::string, ShellReference>;

// The pieces of `command` in order. Two constructs in which no variable could be expanded are
// written anew, where they hold a reference: a here-document with a quoted delimiter gets a bare
// one (its other text is escaped and means the same), and `...` becomes $(...). All else is copied.
//
// INVALID_ARGUMENT, quoting the reference, where a value cannot be put as data: after a backslash
// or a dollar sign, as the name of a variable, as a here-document's delimiter; and for quotes and
// brackets that are not closed.
absl::StatusOr<std::vector<ShellPiece>> LexShell(const std::string& command);

}  // namespace potok
