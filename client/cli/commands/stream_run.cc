#include "client/cli/commands/stream_run.h"

#include "client/cli/commands/show_run.h"
#include "client/cli/follow/follow.h"
#include "client/cli/text/printable.h"
#include "fmt/format.h"

namespace potok::client {

int StreamRun(const Context& context,
              const CommonOptions& common,
              const Connection& connection,
              const std::string& name) {
  RunsClient runs(connection.channel());
  const std::string place =
      fmt::format("RunId: {}\nWeb View: {}\n",
                  Printable(name),
                  Printable(RunsAt(context, common, connection) + "/" + name));
  FollowRunOptions options;
  options.logs = true;
  options.heading = place + "\n";
  options.before_summary = "\nExecution Summary\n=================\n" + place + "\n";
  return FollowRun(context, runs, name, options);
}

}  // namespace potok::client
