#include "client/cli/commands/stream_run.h"

#include "client/cli/commands/show_run.h"
#include "client/cli/follow/follow.h"
#include "client/cli/text/printable.h"
#include "fmt/format.h"

namespace potok::client {

int StreamRun(const Context& context,
              const CommonOptions& options,
              const Connection& connection,
              const std::string& name) {
  RunsClient runs(connection.channel());
  const std::string place =
      fmt::format("RunId: {}\nWeb View: {}\n",
                  Printable(name),
                  Printable(RunsAt(context, options, connection) + "/" + name));
  FollowRunOptions follow;
  follow.logs = true;
  follow.heading = place + "\n";
  follow.before_summary = "\nExecution Summary\n=================\n" + place + "\n";
  return FollowRun(context, runs, name, follow);
}

}  // namespace potok::client
