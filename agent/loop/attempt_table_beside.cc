// Commands beside those of attempts.
#include <utility>

#include "agent/loop/attempt_table.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::agent {
namespace {

absl::Status NotRunning(const std::string& why) {
  return absl::FailedPreconditionError("nothing can be run beside its command, which " + why);
}

// A shell that is there: the machine's, or the image's.
std::vector<std::string> ShellCommandLine() {
  return {"/bin/sh", "-c", "command -v bash >/dev/null 2>&1 && exec bash; exec sh"};
}

}  // namespace

absl::StatusOr<ExecCommand> AttemptTable::Beside(const ExecOrder& order) {
  const auto found = attempts_.find(order.key);
  if (found == attempts_.end()) return NotRunning("is not on this machine any more");
  const Attempt& attempt = found->second;
  if (std::holds_alternative<Staging>(attempt.state)) {
    return NotRunning("has not started: its code and inputs are being fetched");
  }
  const Active* active = std::get_if<Active>(&attempt.state);
  if (active == nullptr || attempt.order == nullptr) return NotRunning("has ended");
  if (active->stopping.has_value()) return NotRunning("is being ended");
  POTOK_ASSIGN_OR_RETURN(ProcessPlace place, ports_.executor.PlaceOf(order.key));
  if (!active->started || place.command == 0)
    return NotRunning("is just being started: try again in a moment");
  const SideWish wish{.name = ToString(order.key),
                      .argv = order.argv.empty() ? ShellCommandLine() : order.argv,
                      .terminal_type = order.terminal_type,
                      .has_terminal = order.has_terminal};
  POTOK_ASSIGN_OR_RETURN(
      RuntimeCommand command,
      ports_.runtimes.MakeBeside(
          *attempt.order, attempt.paths, attempt.runtime.shown, wish, surroundings_));
  // Of an attempt that an earlier agent started only what is shown is known; the order tells the
  // rest as it did then.
  const RuntimeChoice choice = ports_.runtimes.Choose(*attempt.order);
  return ExecCommand{.argv = std::move(command.argv),
                     .environment = std::move(command.environment),
                     .directory = attempt.paths.work(),
                     .cgroups = std::move(place.cgroups),
                     .sandbox = choice.sandbox ? place.command : 0};
}

}  // namespace potok::agent
