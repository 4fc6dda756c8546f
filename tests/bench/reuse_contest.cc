// P7: a large pipeline that is submitted again unchanged: from the call to the end in the tables,
// nothing run.
#include <filesystem>
#include <fstream>

#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "tests/bench/bare.h"
#include "tests/bench/workload.h"

namespace potok::bench {
namespace {

constexpr int kWidth = 100;

// Layers of kWidth; each step but those of the first layer reads the files of two of the layer
// before.
std::vector<int> NeedsOf(int step) {
  if (step < kWidth) return {};
  const int layer = step / kWidth * kWidth - kWidth;
  return {layer + step % kWidth, layer + (step + 1) % kWidth};
}

v1::PipelineSpec ReusableSpec(int steps) {
  v1::PipelineSpec spec;
  spec.set_is_pipeline(true);
  spec.set_experiment_name("bench");
  for (int i = 0; i < steps; ++i) {
    v1::Step& step = *spec.add_steps();
    step.set_name(fmt::format("s{}", i));
    step.set_deterministic(true);
    step.mutable_resources()->set_cpu_millis(125);
    v1::Output& out = *step.add_outputs();
    out.set_name("out");
    out.set_type(v1::VALUE_TYPE_URI_FILE);
    step.set_command(fmt::format("echo {} > ${{{{outputs.out}}}}", i));
    for (const int upstream : NeedsOf(i)) {
      v1::Input& input = *step.add_inputs();
      input.set_name(fmt::format("from{}", step.inputs_size()));
      input.set_type(v1::VALUE_TYPE_URI_FILE);
      input.mutable_value()->set_text(
          fmt::format("${{{{parent.jobs.s{}.outputs.out}}}}", upstream));
    }
  }
  return spec;
}

absl::Status WriteNinjaFile(int steps, const std::string& folder) {
  std::filesystem::create_directories(folder);
  std::ofstream file(folder + "/build.ninja");
  file << "rule make\n  command = echo $out > $out\n";
  for (int i = 0; i < steps; ++i) {
    file << "build s" << i << ": make";
    for (const int upstream : NeedsOf(i)) file << " s" << upstream;
    file << "\n";
  }
  file.close();
  if (file.good()) return absl::OkStatus();
  return absl::UnavailableError(fmt::format("cannot write {}/build.ninja", folder));
}

// All made before; nothing is left to do.
absl::StatusOr<Measure> RunNinja(int steps, const std::string& folder) {
  if (!std::filesystem::exists(folder + "/.ninja_log")) {
    POTOK_RETURN_IF_ERROR(WriteNinjaFile(steps, folder));
    POTOK_RETURN_IF_ERROR(RunToZero({"ninja", "-C", folder, "--quiet"}).status());
  }
  POTOK_ASSIGN_OR_RETURN(const double wall_us, RunToZero({"ninja", "-C", folder, "--quiet"}));
  return Measure{wall_us};
}

absl::StatusOr<Measure> Resubmit(Stack& stack, const v1::PipelineSpec& spec) {
  StackTimes times;
  POTOK_ASSIGN_OR_RETURN(const v1::Run run, stack.RunToEnd(spec, &times));
  int ran = 0;
  for (const v1::StepStatus& step : run.steps()) ran += step.reused_from().empty() ? 1 : 0;
  if (ran > 0) return absl::InternalError(fmt::format("{} steps ran again", ran));
  Measure measure{times.ended_us - times.began_us};
  measure.also["answered"] = times.accepted_us - times.began_us;
  return measure;
}

}  // namespace

std::vector<Contest> ReuseContests(const WorkloadOptions& options, Stack& stack) {
  const int steps = options.reuse_steps;
  Contest contest{"P7",
                  fmt::format("{} steps in layers of {}, submitted again unchanged", steps, kWidth),
                  static_cast<double>(steps),
                  "step",
                  {MillisColumn()}};
  contest.less_is_better = true;
  const auto spec = std::make_shared<const v1::PipelineSpec>(ReusableSpec(steps));
  const auto ran = std::make_shared<bool>(false);
  contest.contestants.push_back(
      {"ninja, nothing to do",
       [steps, folder = options.folder + "/ninja"] { return RunNinja(steps, folder); }});
  contest.contestants.push_back({"Potok", [&stack, spec, ran]() -> absl::StatusOr<Measure> {
                                   if (!*ran) {
                                     StackTimes first;
                                     POTOK_RETURN_IF_ERROR(stack.RunToEnd(*spec, &first).status());
                                     *ran = true;
                                   }
                                   return Resubmit(stack, *spec);
                                 }});
  return {contest};
}

}  // namespace potok::bench
