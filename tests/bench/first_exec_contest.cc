// P11: from the submission of one step on a warm server to the first instruction of its command.
#include <unistd.h>

#include <fstream>

#include "client/potok_client/runs_client.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "tests/bench/bare.h"
#include "tests/bench/database.h"
#include "tests/bench/machine.h"
#include "tests/bench/reference_server.h"
#include "tests/bench/workload.h"

namespace potok::bench {
namespace {

// What the step wrote, on the clock of NowMicros.
absl::StatusOr<double> StampIn(const std::string& path) {
  std::ifstream file(path);
  std::int64_t nanos = 0;
  if (file >> nanos) return static_cast<double>(nanos) / 1e3;
  return absl::NotFoundError(fmt::format("the step left no time in {}", path));
}

absl::Status AwaitEnd(Stack& stack, const std::string& name) {
  client::RunsClient runs(stack.channel());
  v1::WatchRunRequest watch;
  watch.set_name(name);
  watch.set_without_steps(true);
  return runs.Watch(watch, [](const v1::WatchRunResponse&) {}, {});
}

std::string FreshName() {
  static int number = 0;
  return fmt::format("first-{}-{}", getpid(), ++number);
}

using Submit = std::function<absl::Status(const std::string& name, const std::string& stamp)>;

// One after the other; each has ended before the next.
absl::StatusOr<Measure> TimeStarts(Stack& stack,
                                   const WorkloadOptions& options,
                                   const Submit& submit) {
  Measure measure;
  const StackCpu before = stack.ReadCpu();
  const double first = NowMicros();
  for (int i = 0; i < options.first_execs; ++i) {
    const std::string name = FreshName();
    const std::string stamp = fmt::format("{}/{}.stamp", options.folder, name);
    const double began = NowMicros();
    POTOK_RETURN_IF_ERROR(submit(name, stamp));
    POTOK_RETURN_IF_ERROR(AwaitEnd(stack, name));
    POTOK_ASSIGN_OR_RETURN(const double executed, StampIn(stamp));
    measure.latency_us.push_back(executed - began);
    unlink(stamp.c_str());
  }
  measure.wall_us = NowMicros() - first;
  measure.cpu_us = PerUnit(before, stack.ReadCpu(), options.first_execs);
  return measure;
}

absl::Status SubmitByCall(Stack& stack, const std::string& name, const std::string& command) {
  v1::PipelineSpec spec;
  spec.set_name(name);
  spec.mutable_settings()->set_force_rerun(true);
  v1::Step& step = *spec.add_steps();
  step.set_name("main");
  step.set_command(command);
  client::RunsClient runs(stack.channel());
  return runs.Create(spec, "potok-bench").status();
}

// A round trip on a stream, two commits and a start of the same program, as they cost alone; summed
// up one by one, so that there are quantiles.
absl::StatusOr<Measure> SumParts(Stack& stack, const WorkloadOptions& options) {
  const int count = options.first_execs;
  const double began = NowMicros();
  POTOK_ASSIGN_OR_RETURN(const auto reference, ReferenceServer::Start(options.folder));
  POTOK_ASSIGN_OR_RETURN(const auto database, Database::Open(stack.database_url()));
  POTOK_ASSIGN_OR_RETURN(const std::vector<double> trips, reference->RoundTrips(count));
  POTOK_ASSIGN_OR_RETURN(const std::vector<double> commits, database->Commit(2 * count));
  POTOK_ASSIGN_OR_RETURN(const Run starts, StartBare(options.tiny, count, 1));
  Measure measure;
  for (std::size_t i = 0; i < trips.size(); ++i) {
    measure.latency_us.push_back(trips[i] + commits[2 * i] + commits[2 * i + 1] +
                                 starts.latency_us[i]);
  }
  measure.wall_us = NowMicros() - began;
  return measure;
}

}  // namespace

std::vector<Contest> FirstExecContests(const WorkloadOptions& options, Stack& stack) {
  Contest contest{
      "P11",
      fmt::format("{} runs of one step, one after the other: submission to first instruction",
                  options.first_execs),
      static_cast<double>(options.first_execs),
      "run",
      {LatencyColumn(0.5), LatencyColumn(0.99)}};
  contest.less_is_better = true;
  const auto command = [step = options.step](const std::string& stamp) {
    return fmt::format("{} stamp {}", step, stamp);
  };
  contest.contestants.push_back(
      {"parts alone", [&stack, options] { return SumParts(stack, options); }});
  contest.contestants.push_back(
      {"Potok, by the library", [&stack, options, command] {
         return TimeStarts(stack, options, [&](const std::string& name, const std::string& stamp) {
           return SubmitByCall(stack, name, command(stamp));
         });
       }});
  contest.contestants.push_back(
      {"Potok, run -- COMMAND", [&stack, options] {
         return TimeStarts(stack, options, [&](const std::string& name, const std::string& stamp) {
           return stack.RunPotok(
               {"run", "--detach", "--name", name, "--", options.step, "stamp", stamp});
         });
       }});
  return {contest};
}

}  // namespace potok::bench
