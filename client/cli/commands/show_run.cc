#include "client/cli/commands/show_run.h"

#include "client/cli/show/run_text.h"

namespace potok::client {

int ShowRun(const Context& context,
            const CommonOptions& options,
            RunsClient& runs,
            const std::string& name) {
  const absl::StatusOr<v1::Run> run = runs.Get(name, /*without_spec=*/false);
  if (!run.ok()) return Complain(context, run.status());
  return PrintObject(context, options, DefaultOutput::kJsonUnlessTerminal, JobObject(*run), [&] {
    return RunSummary(*run, absl::Now());
  });
}

}  // namespace potok::client
