#include "client/cli/commands/command.h"
#include "client/cli/show/explanation_text.h"
#include "client/potok_client/runs_client.h"

namespace potok::client {
namespace {

struct ExplainOptions {
  CommonOptions common;
  std::string name;
  std::vector<std::string> steps;
};

int RunExplain(Session& session, const ExplainOptions& options) {
  const absl::StatusOr<Connection> connection = Connect(session.context, options.common);
  if (!connection.ok()) return Complain(session.context, connection.status());
  RunsClient runs(connection->channel());
  const absl::StatusOr<v1::ExplainResponse> explained = runs.Explain(options.name, options.steps);
  if (!explained.ok()) return Complain(session.context, explained.status());
  return PrintObject(session.context,
                     options.common,
                     DefaultOutput::kForPeople,
                     ExplanationObject(*explained),
                     [&] { return ExplanationText(*explained, Tense::kPast); });
}

}  // namespace

void AddJobExplain(CLI::App& job, Session& session) {
  const auto options = std::make_shared<ExplainOptions>();
  CommandOptions explain = AddCommand(
      job,
      session,
      "explain",
      "Why each step ran or was reused, with what differs from the nearest earlier result",
      "potok job explain -n brave_river_1 train",
      options,
      RunExplain);
  explain.RequiredText("-n,--name", "NAME", "Name of the run", &options->name);
  explain.Texts("step", "STEP", "Only these steps; * and ? match any", &options->steps);
  AddServerOptions(explain, &options->common);
  AddOutputOptions(explain, session, &options->common);
}

}  // namespace potok::client
