#include "client/cli/show/metrics_text.h"

#include <map>
#include <vector>

#include "common/base/resources.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

using Texts = google::protobuf::Map<std::string, std::string>;

Object TextsObject(const Texts& texts) {
  Object object;
  for (const auto& [name, text] : std::map<std::string, std::string>(texts.begin(), texts.end())) {
    object.emplace_back(name, text);
  }
  return object;
}

// JSON has no NaN and no infinity: they are texts, as in MLflow's.
Value NumberValue(double number) {
  if (number != number) return "NaN";
  if (number - number != 0) return number > 0 ? "Infinity" : "-Infinity";
  return number;
}

// Short, but enough to tell two values apart that matter.
std::string NumberText(double number) {
  return fmt::format("{:.6g}", number);
}

// "train", "train (2)" of a later attempt, and below it "train/NAME" of a run that it made.
std::string WhoText(const v1::TrackedRun& run) {
  std::string who = run.step();
  if (run.attempt() > 1) who += fmt::format(" ({})", run.attempt());
  if (run.is_child()) who += "/" + run.name();
  return who;
}

Value MetricValueOf(const v1::Metric& metric) {
  return Object{{"name", metric.name()},
                {"value", NumberValue(metric.value())},
                {"step", metric.step()},
                {"time", IsoTime(metric.time_us())},
                {"count", metric.count()},
                {"min", NumberValue(metric.min())},
                {"max", NumberValue(metric.max())}};
}

}  // namespace

Value MetricsObject(const v1::ListMetricsResponse& logged) {
  Array runs;
  for (const v1::TrackedRun& run : logged.runs()) {
    Array metrics;
    for (const v1::Metric& metric : run.metrics()) metrics.push_back(MetricValueOf(metric));
    Array files;
    for (const v1::LoggedFile& file : run.files()) {
      files.push_back(Object{{"path", file.path()},
                             {"size_bytes", file.digest().size_bytes()},
                             {"sha256", file.digest().hash()}});
    }
    runs.push_back(Object{{"step", run.step()},
                          {"attempt", run.attempt()},
                          {"run_id", run.run_id()},
                          {"name", run.name()},
                          {"is_child", run.is_child()},
                          {"status", run.status()},
                          {"experiment_name", run.experiment_name()},
                          {"metrics", std::move(metrics)},
                          {"params", TextsObject(run.params())},
                          {"tags", TextsObject(run.tags())},
                          {"files", std::move(files)}});
  }
  return runs;
}

std::string MetricsText(const v1::ListMetricsResponse& logged, const TableStyle& style) {
  std::vector<std::vector<std::string>> metrics;
  std::vector<std::vector<std::string>> params;
  std::vector<std::vector<std::string>> files;
  for (const v1::TrackedRun& run : logged.runs()) {
    for (const v1::Metric& metric : run.metrics()) {
      metrics.push_back({WhoText(run),
                         metric.name(),
                         NumberText(metric.value()),
                         fmt::format("{}", metric.step()),
                         fmt::format("{}", metric.count()),
                         NumberText(metric.min()),
                         NumberText(metric.max())});
    }
    for (const auto& [name, text] :
         std::map<std::string, std::string>(run.params().begin(), run.params().end())) {
      params.push_back({WhoText(run), name, text});
    }
    for (const v1::LoggedFile& file : run.files()) {
      files.push_back({WhoText(run), file.path(), FormatBytes(file.digest().size_bytes())});
    }
  }
  std::string text;
  const auto add = [&](const std::vector<std::string>& headings, const auto& rows) {
    if (rows.empty()) return;
    text += (text.empty() ? "" : "\n") + Table(headings, rows, style);
  };
  add({"STEP", "METRIC", "LAST", "AT", "COUNT", "MIN", "MAX"}, metrics);
  add({"STEP", "PARAMETER", "VALUE"}, params);
  add({"STEP", "FILE", "SIZE"}, files);
  return text.empty() ? "Nothing was logged; steps log with mlflow, as mlflow.log_metric\n" : text;
}

Value HistoryObject(const v1::MetricHistoryResponse& history) {
  Array points;
  for (const v1::MetricPoint& point : history.points()) {
    points.push_back(Object{{"step", point.step()},
                            {"value", NumberValue(point.value())},
                            {"time", IsoTime(point.time_us())}});
  }
  return points;
}

std::string HistoryText(const v1::MetricHistoryResponse& history,
                        absl::TimeZone zone,
                        const TableStyle& style) {
  std::vector<std::vector<std::string>> rows;
  for (const v1::MetricPoint& point : history.points()) {
    rows.push_back({fmt::format("{}", point.step()),
                    fmt::format("{:.17g}", point.value()),
                    LocalTime(point.time_us(), zone)});
  }
  return Table({"AT", "VALUE", "TIME"}, rows, style);
}

}  // namespace potok::client
