#include "common/pipeline/shell_lexer.h"

#include "absl/status/status.h"
#include "common/base/status_macros.h"
#include "common/pipeline/shell_scanner.h"

namespace potok {

absl::StatusOr<std::vector<ShellPiece>> LexShell(const std::string& command) {
  if (command.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError("the command holds a zero byte, which no shell can read");
  }
  std::vector<ShellPiece> pieces;
  ShellScanner scanner(command, &pieces, 0);
  POTOK_RETURN_IF_ERROR(scanner.ScanCommands());
  return pieces;
}

}  // namespace potok
