#include "client/cli/commands/command.h"
#include "client/cli/stack/daemon.h"
#include "client/cli/stack/supervisor.h"
#include "common/runtime/logging.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

struct SuperviseOptions {
  std::string home;
};

// Becomes a daemon. Nothing before may have started a thread.
int RunSupervise(Session& session, const SuperviseOptions& options) {
  const Home home{options.home};
  if (const absl::Status detached = Detach(home); !detached.ok()) {
    return Complain(session.context, detached);
  }
  absl::Status status = InitLogging("info");
  if (!status.ok()) return Complain(session.context, status);
  const absl::StatusOr<std::optional<StackConfig>> config = LoadConfig(home);
  if (!config.ok()) return Complain(session.context, config.status());
  if (!config->has_value()) {
    return Complain(session.context,
                    absl::NotFoundError(
                        fmt::format("no {}: start the stack with `potok up`", home.config_file())));
  }
  status = Supervise(home, **config, StopPatience());
  return status.ok() ? kExitOk : Complain(session.context, status);
}

}  // namespace

void AddSupervise(CLI::App& app, Session& session) {
  const auto options = std::make_shared<SuperviseOptions>();
  CommandOptions supervise = AddCommand(app,
                                        session,
                                        "supervise",
                                        "Keep the processes of `potok up` running (started by it)",
                                        "potok supervise --home=/var/lib/potok",
                                        options,
                                        RunSupervise);
  supervise.RequiredText("--home", "FOLDER", "Folder of the stack", &options->home);
  supervise.Hide();  // not a person's command
}

}  // namespace potok::client
