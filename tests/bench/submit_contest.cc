// P6: from the call of the client to the durable answer, for a large pipeline.
#include <fstream>

#include "client/potok_client/runs_client.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "tests/bench/database.h"
#include "tests/bench/machine.h"
#include "tests/bench/simulated_agent.h"
#include "tests/bench/workload.h"

namespace potok::bench {
namespace {

constexpr int kLayer = 100;
// A pool whose only machine has vanished: what is submitted to it waits, and costs nothing.
constexpr char kPool[] = "bench-vanished";

// The two steps of the layer before that a step needs.
struct Upstreams {
  int first = 0;
  int second = 0;
};
std::optional<Upstreams> UpstreamsOf(int step) {
  if (step < kLayer) return std::nullopt;
  const int layer = step / kLayer * kLayer - kLayer;
  return Upstreams{layer + step % kLayer, layer + (step + 1) % kLayer};
}

// Files go from layer to layer, as in a pipeline that people write.
v1::PipelineSpec LayeredSpec(int steps) {
  v1::PipelineSpec spec;
  spec.set_is_pipeline(true);
  spec.set_experiment_name("bench");
  spec.mutable_settings()->set_default_compute(kPool);
  for (int i = 0; i < steps; ++i) {
    v1::Step& step = *spec.add_steps();
    step.set_name(fmt::format("s{}", i));
    v1::Output& out = *step.add_outputs();
    out.set_name("out");
    out.set_type(v1::VALUE_TYPE_URI_FOLDER);
    step.set_command("make.sh ${{outputs.out}}");
    const std::optional<Upstreams> upstreams = UpstreamsOf(i);
    if (!upstreams) continue;
    step.set_command("merge.sh ${{inputs.a}} ${{inputs.b}} ${{outputs.out}}");
    const auto add = [&](const std::string& name, int upstream) {
      v1::Input& input = *step.add_inputs();
      input.set_name(name);
      input.set_type(v1::VALUE_TYPE_URI_FOLDER);
      input.mutable_value()->set_text(
          fmt::format("${{{{parent.jobs.s{}.outputs.out}}}}", upstream));
    };
    add("a", upstreams->first);
    add("b", upstreams->second);
  }
  return spec;
}

absl::Status WriteYaml(int steps, const std::string& path) {
  std::ofstream file(path);
  file << "type: pipeline\nexperiment_name: bench\nsettings:\n  default_compute: " << kPool
       << "\njobs:\n";
  for (int i = 0; i < steps; ++i) {
    file << "  s" << i << ":\n    type: command\n";
    if (const std::optional<Upstreams> upstreams = UpstreamsOf(i)) {
      file << "    command: merge.sh ${{inputs.a}} ${{inputs.b}} ${{outputs.out}}\n    inputs:\n"
           << "      a: ${{parent.jobs.s" << upstreams->first << ".outputs.out}}\n"
           << "      b: ${{parent.jobs.s" << upstreams->second << ".outputs.out}}\n";
    } else {
      file << "    command: make.sh ${{outputs.out}}\n";
    }
    file << "    outputs:\n      out: {type: uri_folder}\n";
  }
  file.close();
  if (file.good()) return absl::OkStatus();
  return absl::UnavailableError(fmt::format("cannot write {}", path));
}

std::vector<Database::PlannedStep> RowsOf(const v1::PipelineSpec& spec) {
  std::vector<Database::PlannedStep> rows;
  for (int i = 0; i < spec.steps_size(); ++i) {
    const std::optional<Upstreams> upstreams = UpstreamsOf(i);
    rows.push_back(
        {spec.steps(i).name(),
         upstreams ? fmt::format("{},{}", upstreams->first, upstreams->second) : std::string(),
         spec.steps(i).SerializeAsString()});
  }
  return rows;
}

// Outside of what is measured.
absl::Status CancelRun(Stack& stack, const std::string& name) {
  client::RunsClient runs(stack.channel());
  POTOK_RETURN_IF_ERROR(runs.Cancel(name, "measured"));
  v1::WatchRunRequest watch;
  watch.set_name(name);
  watch.set_without_steps(true);
  return runs.Watch(watch, [](const v1::WatchRunResponse&) {}, {});
}

absl::StatusOr<Measure> SubmitByLibrary(Stack& stack, const v1::PipelineSpec& spec) {
  client::RunsClient runs(stack.channel());
  const StackCpu before = stack.ReadCpu();
  const double began = NowMicros();
  POTOK_ASSIGN_OR_RETURN(const v1::CreateRunResponse created, runs.Create(spec, "potok-bench"));
  Measure measure{NowMicros() - began};
  measure.cpu_us = PerUnit(before, stack.ReadCpu(), spec.steps_size());
  POTOK_RETURN_IF_ERROR(CancelRun(stack, created.name()));
  return measure;
}

absl::StatusOr<Measure> SubmitByProgram(Stack& stack, int steps, const std::string& file) {
  static int number = 0;
  const std::string name = fmt::format("bench-{}", ++number);
  const StackCpu before = stack.ReadCpu();
  const double own_before = CpuMicrosOfEndedChildren(getpid());
  const double began = NowMicros();
  POTOK_RETURN_IF_ERROR(stack.RunPotok({"job", "create", "-f", file, "-n", name}));
  Measure measure{NowMicros() - began};
  measure.cpu_us = PerUnit(before, stack.ReadCpu(), steps);
  measure.cpu_us["client"] = (CpuMicrosOfEndedChildren(getpid()) - own_before) / steps;
  POTOK_RETURN_IF_ERROR(CancelRun(stack, name));
  return measure;
}

Contest SubmitContest(int steps, const WorkloadOptions& options, Stack& stack) {
  Contest contest{
      "P6",
      fmt::format("submission of {} steps in layers of {}, each of two others", steps, kLayer),
      static_cast<double>(steps),
      "step",
      {MillisColumn()}};
  contest.less_is_better = true;
  const auto spec = std::make_shared<const v1::PipelineSpec>(LayeredSpec(steps));
  const std::string file = fmt::format("{}/layers-{}.yml", options.folder, steps);
  contest.contestants.push_back({"COPY of its rows", [&stack, spec]() -> absl::StatusOr<Measure> {
                                   POTOK_ASSIGN_OR_RETURN(const auto database,
                                                          Database::Open(stack.database_url()));
                                   return database->CopyPlan(RowsOf(*spec));
                                 }});
  const auto with_pool = [&stack](auto submit) -> absl::StatusOr<Measure> {
    POTOK_RETURN_IF_ERROR(
        SimulatedAgent::Connect(stack.channel(), {kPool, 1}, SimulatedAgent::Ending::kVanish)
            .status());
    return submit();
  };
  contest.contestants.push_back({"Potok, by the library", [&stack, spec, with_pool] {
                                   return with_pool([&] { return SubmitByLibrary(stack, *spec); });
                                 }});
  contest.contestants.push_back(
      {"Potok, job create FILE", [&stack, steps, file, with_pool]() -> absl::StatusOr<Measure> {
         POTOK_RETURN_IF_ERROR(WriteYaml(steps, file));
         return with_pool([&] { return SubmitByProgram(stack, steps, file); });
       }});
  return contest;
}

}  // namespace

std::vector<Contest> SubmitContests(const WorkloadOptions& options, Stack& stack) {
  std::vector<Contest> contests;
  for (const int steps : options.submit_steps) {
    contests.push_back(SubmitContest(steps, options, stack));
  }
  return contests;
}

}  // namespace potok::bench
