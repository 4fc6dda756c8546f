#include "client/cli/commands/command.h"
#include "client/cli/show/metrics_text.h"
#include "client/cli/show/table_style.h"
#include "client/potok_client/metrics_client.h"

namespace potok::client {
namespace {

struct MetricsOptions {
  CommonOptions common;
  std::string name;
  std::string step;
  std::string history;
  int attempt = 0;
  bool all_attempts = false;
};

int ShowHistory(Session& session, const MetricsOptions& options, MetricsClient& metrics) {
  v1::MetricHistoryRequest request;
  request.set_name(options.name);
  request.set_step(options.step);
  request.set_metric(options.history);
  request.set_attempt(options.attempt);
  const absl::StatusOr<v1::MetricHistoryResponse> history = metrics.History(std::move(request));
  if (!history.ok()) return Complain(session.context, history.status());
  return PrintObject(
      session.context, options.common, DefaultOutput::kForPeople, HistoryObject(*history), [&] {
        return HistoryText(*history, session.context.zone, StyleOf(session.context));
      });
}

int RunMetrics(Session& session, const MetricsOptions& options) {
  const absl::StatusOr<Connection> connection = Connect(session.context, options.common);
  if (!connection.ok()) return Complain(session.context, connection.status());
  MetricsClient metrics(connection->channel());
  if (!options.history.empty()) return ShowHistory(session, options, metrics);
  v1::ListMetricsRequest request;
  request.set_name(options.name);
  request.set_step(options.step);
  request.set_all_attempts(options.all_attempts);
  const absl::StatusOr<v1::ListMetricsResponse> logged = metrics.List(request);
  if (!logged.ok()) return Complain(session.context, logged.status());
  return PrintObject(
      session.context, options.common, DefaultOutput::kForPeople, MetricsObject(*logged), [&] {
        return MetricsText(*logged, StyleOf(session.context));
      });
}

}  // namespace

void AddJobMetrics(CLI::App& job, Session& session) {
  const auto options = std::make_shared<MetricsOptions>();
  CommandOptions metrics = AddCommand(job,
                                      session,
                                      "metrics",
                                      "What the steps of a run logged with mlflow",
                                      "potok job metrics -n brave_river_1\n"
                                      "  potok job metrics -n brave_river_1 train --history loss\n"
                                      "  potok job metrics -n brave_river_1 -o json",
                                      options,
                                      RunMetrics);
  metrics.RequiredText("-n,--name", "NAME", "Name of the run", &options->name);
  metrics.Text("step", "STEP", "Only this step", &options->step);
  metrics.Text("--history",
               "METRIC",
               "Every value of one metric, instead of the last ones",
               &options->history);
  metrics.Number("--attempt",
                 "N",
                 "With --history: of this attempt (default: the latest)",
                 1,
                 &options->attempt);
  metrics.Flag(
      "--all-attempts", "Also attempts before the latest of each step", &options->all_attempts);
  metrics.Exclude("--history", "--all-attempts");
  AddServerOptions(metrics, &options->common);
  AddOutputOptions(metrics, session, &options->common);
}

}  // namespace potok::client
