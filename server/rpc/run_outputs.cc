#include "server/rpc/run_outputs.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "common/base/status_macros.h"
#include "common/rpc/pipeline_convert.h"
#include "fmt/format.h"
#include "server/artifacts/folders.h"

namespace potok::server {

namespace {

using OutputValues = google::protobuf::RepeatedPtrField<v1::OutputValue>;

constexpr char kJobs[] = "azureml://jobs/";
constexpr char kRuns[] = "runs:/";
// What a step writes to ./outputs, under the names that Azure ML has for it.
const char* const kArtifactRoots[] = {"artifacts", "default"};

absl::Status NoOutputUri(const std::string& uri, const std::string& why) {
  return absl::InvalidArgumentError(fmt::format(
      "'{}' names no output of a run: {}; write azureml://jobs/RUN/outputs/OUTPUT, with "
      "/paths/PATH behind it for a part, or runs:/RUN/OUTPUT/PATH",
      uri.substr(0, 300),
      why));
}

// A run or one of its steps.
struct Job {
  v1::Run run;
  const v1::StepStatus* step = nullptr;
};

const v1::StepStatus* FindStep(const v1::Run& run, const std::string& name) {
  for (const v1::StepStatus& step : run.steps()) {
    if (step.name() == name) return &step;
  }
  return nullptr;
}

// Ways to read JOB as the name of a run and of a step, "" for the run itself.
std::vector<std::pair<std::string, std::string>> ReadingsOf(const std::string& job) {
  if (const std::size_t slash = job.find('/'); slash != std::string::npos) {
    return {{job.substr(0, slash), job.substr(slash + 1)}};
  }
  std::vector<std::pair<std::string, std::string>> readings = {{job, ""}};
  for (std::size_t at = job.rfind('_'); at != std::string::npos && at > 0;
       at = job.rfind('_', at - 1)) {
    readings.emplace_back(job.substr(0, at), job.substr(at + 1));
  }
  return readings;
}

absl::StatusOr<Job> FindJob(RunView& view, const std::string& name) {
  for (const auto& [run_name, step] : ReadingsOf(name)) {
    auto run = view.Get(run_name, /*with_spec=*/false, 0);
    if (absl::IsNotFound(run.status())) continue;
    if (!run.ok()) return run.status();
    Job job;
    job.run = *std::move(run);
    if (!step.empty()) job.step = FindStep(job.run, step);
    if (step.empty() || job.step != nullptr) return job;
  }
  return absl::NotFoundError(fmt::format("there is no run '{}', and no step of that name", name));
}

std::string NamesOfOutputs(const OutputValues& outputs) {
  std::vector<std::string> names;
  for (const v1::OutputValue& output : outputs) names.push_back(output.name());
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

const v1::OutputValue* FindValue(const OutputValues& outputs, const std::string& name) {
  for (const v1::OutputValue& output : outputs) {
    if (output.name() == name) return &output;
  }
  return nullptr;
}

// Of runs:/JOB/P the output that P begins with, which then is no part of the path any more; else
// what the step wrote to ./outputs.
const v1::OutputValue* FindByPath(const OutputValues& outputs, RunOutputName* name) {
  if (!name->parts.empty()) {
    if (const v1::OutputValue* value = FindValue(outputs, name->parts.front())) {
      name->parts.erase(name->parts.begin());
      return value;
    }
  }
  for (const char* root : kArtifactRoots) {
    if (const v1::OutputValue* value = FindValue(outputs, root)) return value;
  }
  return nullptr;
}

absl::Status NoOutput(const Job& job, const OutputValues& outputs, const std::string& uri) {
  const bool has_ended =
      job.run.ended_us() != 0 || (job.step != nullptr && job.step->ended_us() != 0);
  const std::string what = job.step == nullptr
                               ? fmt::format("run {}", job.run.name())
                               : fmt::format("step {} of run {}", job.step->name(), job.run.name());
  const std::string has =
      fmt::format("{} cannot be had: the outputs of {} are {}", uri, what, NamesOfOutputs(outputs));
  if (has_ended) return absl::NotFoundError(has);
  return absl::FailedPreconditionError(has + " so far; wait until it has completed");
}

// RUN/P; the rest is the path.
std::string ReadRunsForm(std::string rest, RunOutputName* name) {
  rest.erase(0, rest.find_first_not_of('/'));
  const std::size_t slash = rest.find('/');
  name->job = rest.substr(0, slash);
  return slash == std::string::npos ? "" : rest.substr(slash);
}

// JOB/outputs/OUTPUT[/paths/P], also with nothing behind /paths.
std::string ReadJobsForm(const std::string& rest, RunOutputName* name) {
  const std::string outputs = "/outputs/";
  const std::string paths = "/paths/";
  const std::size_t at = rest.find(outputs);
  if (at == std::string::npos) return "";
  name->job = rest.substr(0, at);
  const std::string behind = rest.substr(at + outputs.size()) + "/";
  const std::size_t path = behind.find(paths);
  name->output = behind.substr(0, path);
  if (path != std::string::npos) return behind.substr(path + paths.size());
  name->output.pop_back();
  while (!name->output.empty() && name->output.back() == '/') name->output.pop_back();
  return "";
}

}  // namespace

absl::StatusOr<RunOutputName> ParseRunOutputUri(const std::string& uri) {
  RunOutputName name;
  std::string path;
  if (uri.rfind(kRuns, 0) == 0) {
    path = ReadRunsForm(uri.substr(sizeof kRuns - 1), &name);
  } else if (uri.rfind(kJobs, 0) == 0) {
    path = ReadJobsForm(uri.substr(sizeof kJobs - 1), &name);
    if (name.output.empty() || name.output.find('/') != std::string::npos) {
      return NoOutputUri(uri, "there is no /outputs/OUTPUT in it");
    }
  } else {
    return NoOutputUri(uri, "it begins with neither azureml://jobs/ nor runs:/");
  }
  if (name.job.empty()) return NoOutputUri(uri, "it names no run");
  auto parts = PartsOfPath(path);
  if (!parts.ok()) return NoOutputUri(uri, std::string(parts.status().message()));
  name.parts = *std::move(parts);
  return name;
}

absl::StatusOr<Artifact> RunOutputs::Find(const std::string& uri) {
  POTOK_ASSIGN_OR_RETURN(RunOutputName name, ParseRunOutputUri(uri));
  POTOK_ASSIGN_OR_RETURN(const Job job, FindJob(view_, name.job));
  const OutputValues& outputs = job.step == nullptr ? job.run.outputs() : job.step->outputs();
  const v1::OutputValue* value =
      name.output.empty() ? FindByPath(outputs, &name) : FindValue(outputs, name.output);
  if (value == nullptr) return NoOutput(job, outputs, uri);
  if (!value->has_artifact()) {
    return absl::InvalidArgumentError(
        fmt::format("{} is a value, not a file or folder: '{}'", uri, value->text()));
  }
  POTOK_ASSIGN_OR_RETURN(const Artifact artifact, potok::FromProto(value->artifact()));
  auto found = FindBelow(store_, artifact, name.parts);
  if (found.ok()) return found;
  return absl::Status(found.status().code(),
                      fmt::format("{}: {}", uri, std::string(found.status().message())));
}

}  // namespace potok::server
