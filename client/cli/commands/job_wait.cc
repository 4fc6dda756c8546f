#include "client/cli/commands/command.h"
#include "client/potok_client/run_follower.h"
#include "client/potok_client/run_state.h"
#include "client/potok_client/runs_client.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

struct WaitOptions {
  CommonOptions common;
  std::string name;
  double timeout_seconds = 0;  // 0: as long as it takes
};

int Concluded(const Context& context, const absl::Status& status, v1::Status state) {
  if (!status.ok()) return Complain(context, status);
  *context.out << NameOf(state) << std::endl;
  return state == v1::STATUS_COMPLETED ? kExitOk : kExitFailed;
}

int RunWait(Session& session, const WaitOptions& options) {
  const Context& context = session.context;
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  RunsClient runs(connection->channel());
  const absl::Time deadline = options.timeout_seconds > 0
                                  ? absl::Now() + absl::Seconds(options.timeout_seconds)
                                  : absl::InfiniteFuture();
  RunFollower follower(&runs, options.name, {.steps = false});
  const std::stop_callback wake(context.interrupted, [&] { follower.Wake(); });
  v1::Status state = v1::STATUS_UNSPECIFIED;
  while (absl::Now() < deadline && !context.interrupted.stop_requested()) {
    const absl::Duration left = std::min(deadline - absl::Now(), absl::Seconds(60));
    for (const RunEvent& event : follower.Next(left)) {
      if (const auto* changed = std::get_if<RunChanged>(&event)) state = changed->change.status();
      if (const auto* ended = std::get_if<FollowEnded>(&event)) {
        return Concluded(context, ended->status, state);
      }
    }
  }
  if (context.interrupted.stop_requested()) return kExitInterrupted;
  return Complain(context,
                  absl::DeadlineExceededError(fmt::format("the run {} is {} after {} seconds",
                                                          options.name,
                                                          NameOf(state),
                                                          options.timeout_seconds)));
}

}  // namespace

void AddJobWait(CLI::App& job, Session& session) {
  const auto options = std::make_shared<WaitOptions>();
  CommandOptions wait = AddCommand(job,
                                   session,
                                   "wait",
                                   "Wait until a run has ended; exit code 0 if it completed",
                                   "potok job wait -n brave_river_1 --timeout 3600",
                                   options,
                                   RunWait);
  wait.RequiredText("-n,--name", "NAME", "Name of the run", &options->name);
  wait.Seconds("--timeout", "Give up after so long, with exit code 1", &options->timeout_seconds);
  AddServerOptions(wait, &options->common);
}

}  // namespace potok::client
