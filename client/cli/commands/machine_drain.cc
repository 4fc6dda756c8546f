#include <condition_variable>
#include <mutex>

#include "client/cli/commands/machine_commands.h"
#include "client/cli/commands/machine_options.h"
#include "client/cli/text/printable.h"
#include "client/potok_client/machines_client.h"
#include "common/base/age.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

constexpr std::chrono::milliseconds kLookAgain(500);

struct DrainOptions {
  MachinesOptions machines;
  std::string deadline;
  bool wait = false;
};

absl::StatusOr<v1::CordonMachinesRequest> DrainRequestOf(const DrainOptions& options,
                                                         const Context& context) {
  v1::CordonMachinesRequest request;
  POTOK_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                         MachineNames(options.machines.words, options.machines));
  FillMachinesRequest(names, options.machines, context, &request);
  request.set_drain(true);
  if (options.deadline.empty()) return request;
  const absl::StatusOr<absl::Duration> deadline = ParseAge(options.deadline);
  if (!deadline.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("--deadline: {}", std::string(deadline.status().message())));
  }
  if (*deadline == absl::InfiniteDuration()) return request;
  request.set_deadline_us(absl::ToInt64Microseconds(*deadline));
  return request;
}

// "gpu-1: 3 steps left (brave_river_1/train, ...)", a machine a line; empty when all are empty.
std::string LeftOn(const std::vector<v1::Machine>& machines) {
  constexpr int kShownSteps = 3;
  std::string text;
  for (const v1::Machine& machine : machines) {
    const int count = machine.steps_size();
    if (count == 0) continue;
    std::string steps;
    for (int i = 0; i < count && i < kShownSteps; ++i) {
      const v1::StepOnMachine& step = machine.steps(i);
      steps += fmt::format("{}{}/{}", i == 0 ? "" : ", ", step.run(), step.step());
    }
    text += fmt::format("{}: {} step{} left ({}{})\n",
                        machine.name(),
                        count,
                        count == 1 ? "" : "s",
                        Printable(steps),
                        count > kShownSteps ? ", ..." : "");
  }
  return text;
}

// False: Ctrl-C came first.
bool PauseUnlessInterrupted(const Context& context) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait_for(lock, context.interrupted, kLookAgain, [] { return false; });
  return !context.interrupted.stop_requested();
}

// Until none of them holds a step; says what is left whenever that changes.
absl::StatusOr<v1::MachinesResponse> WaitUntilEmpty(const Context& context,
                                                    MachinesClient& client,
                                                    v1::MachinesResponse response) {
  std::string said;
  while (true) {
    const std::string left = LeftOn({response.machines().begin(), response.machines().end()});
    if (left.empty()) return response;
    if (left != said && !context.only_errors) *context.err << left << std::flush;
    said = left;
    if (!PauseUnlessInterrupted(context)) {
      return absl::CancelledError("no longer waiting; the drain stays in force");
    }
    for (v1::Machine& machine : *response.mutable_machines()) {
      POTOK_ASSIGN_OR_RETURN(machine, client.Get(machine.name()));
      if (machine.cordon().state() != v1::CORDON_STATE_DRAINING) {
        return absl::FailedPreconditionError(fmt::format(
            "{} is no longer drained: {} changed that", machine.name(), machine.cordon().by()));
      }
    }
  }
}

int RunMachineDrain(Session& session, const DrainOptions& options) {
  const Context& context = session.context;
  const CommonOptions& common = options.machines.common;
  const auto request = DrainRequestOf(options, context);
  if (!request.ok()) return Complain(context, request.status());
  const absl::StatusOr<Connection> connection = Connect(context, common);
  if (!connection.ok()) return Complain(context, connection.status());
  MachinesClient client(connection->channel());
  auto response = client.Cordon(*request);
  if (response.ok() && options.wait) response = WaitUntilEmpty(context, client, *response);
  if (!response.ok()) return Complain(context, response.status());
  return PrintMachines(context, common, *response);
}

}  // namespace

void AddMachineDrain(CLI::App& machine, Session& session) {
  const auto options = std::make_shared<DrainOptions>();
  CommandOptions drain = AddCommand(
      machine,
      session,
      "drain",
      "Empty machines: no new steps are placed there, and those that run may end by themselves, "
      "until the deadline. What runs longer is stopped and runs again elsewhere, without using up "
      "its retries",
      "potok machine drain gpu-1 --deadline 30m --reason 'new disk' --wait",
      options,
      RunMachineDrain);
  drain.Text("--deadline",
             "SPAN",
             "How long steps may go on: 30m, 2h, 0s (default: for as long as they take)",
             &options->deadline);
  drain.Flag("--wait",
             "Follow until the machines are empty; Ctrl-C ends the waiting, not the drain",
             &options->wait);
  AddMachinesOptions(drain, session, "MACHINE", "Names of machines", &options->machines);
}

}  // namespace potok::client
