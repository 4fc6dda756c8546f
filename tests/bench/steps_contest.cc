#include <algorithm>
#include <cmath>

#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "tests/bench/bare.h"
#include "tests/bench/machine.h"
#include "tests/bench/workload.h"

namespace potok::bench {
namespace {

struct Shape {
  std::string program;
  int steps = 0;
  bool is_chain = false;
};

v1::PipelineSpec SpecOf(const Shape& shape, double cpus) {
  v1::PipelineSpec spec;
  spec.set_is_pipeline(true);
  spec.set_experiment_name("bench");
  spec.mutable_settings()->set_force_rerun(true);  // a reused step measures nothing
  for (int i = 0; i < shape.steps; ++i) {
    v1::Step& step = *spec.add_steps();
    step.set_name(fmt::format("s{}", i));
    step.set_command(shape.program);
    step.set_instance_count(1);
    const auto millis = static_cast<std::int32_t>(std::lround(cpus * 1000));
    if (millis > 0) step.mutable_resources()->set_cpu_millis(millis);
    if (shape.is_chain && i > 0) step.add_depends_on(fmt::format("s{}", i - 1));
  }
  return spec;
}

Measure MeasureOfBare(Run run, int steps) {
  Measure measure;
  measure.wall_us = run.wall_us;
  measure.cpu_us["children"] = run.child_cpu_us / steps;
  measure.latency_us = std::move(run.latency_us);
  return measure;
}

// From the end of a step to the end of the next, by the times in the tables.
std::vector<double> HopsOf(const v1::Run& run) {
  std::vector<double> hops;
  for (int i = 1; i < run.steps_size(); ++i) {
    hops.push_back(static_cast<double>(run.steps(i).ended_us() - run.steps(i - 1).ended_us()));
  }
  return hops;
}

absl::StatusOr<Measure> RunOnStack(Stack& stack, const Shape& shape, double cpus) {
  const v1::PipelineSpec spec = SpecOf(shape, cpus);
  const StackCpu before = stack.ReadCpu();
  StackTimes times;
  POTOK_ASSIGN_OR_RETURN(const v1::Run run, stack.RunToEnd(spec, &times));
  Measure measure{times.ended_us - times.began_us};
  measure.cpu_us = PerUnit(before, stack.ReadCpu(), shape.steps);
  if (shape.is_chain) measure.latency_us = HopsOf(run);
  return measure;
}

Contest ContestOf(const std::string& key,
                  const Shape& shape,
                  const WorkloadOptions& options,
                  Stack& stack) {
  const int at_once = shape.is_chain ? 1 : CpuCount();
  const std::string name = shape.program == options.tiny ? "tiny" : shape.program;
  Contest contest{key,
                  fmt::format("{} {} of {}, {} at once",
                              shape.steps,
                              shape.is_chain ? "steps in a chain, each" : "independent steps, each",
                              name,
                              at_once),
                  static_cast<double>(shape.steps),
                  "step",
                  {RateColumn("steps/s")}};
  if (shape.is_chain) {
    contest.less_is_better = true;
    contest.columns = {
        MicrosPerUnitColumn("us per step"), AboveLimitColumn(0.5), AboveLimitColumn(0.99)};
  }
  contest.contestants.push_back({"bare", [shape, at_once]() -> absl::StatusOr<Measure> {
                                   POTOK_ASSIGN_OR_RETURN(
                                       Run run, StartBare(shape.program, shape.steps, at_once));
                                   return MeasureOfBare(std::move(run), shape.steps);
                                 }});
  if (options.with_make) {
    contest.contestants.push_back(
        {fmt::format("make -j{}", CpuCount()),
         [shape, folder = options.folder]() -> absl::StatusOr<Measure> {
           POTOK_ASSIGN_OR_RETURN(
               Run run,
               StartByMake(shape.program, shape.steps, CpuCount(), shape.is_chain, folder));
           return MeasureOfBare(std::move(run), shape.steps);
         }});
  }
  for (const double cpus : options.cpus) {
    const double fit = cpus > 0 ? CpuCount() / cpus : CpuCount();
    const int steps_at_once = shape.is_chain ? 1 : static_cast<int>(fit);
    contest.contestants.push_back(
        {fmt::format("Potok, {} at once", steps_at_once),
         [shape, cpus, &stack] { return RunOnStack(stack, shape, cpus); }});
    if (shape.is_chain) break;  // one step at a time fits anyway
  }
  return contest;
}

}  // namespace

std::vector<Contest> StepsContests(const std::string& key,
                                   const WorkloadOptions& options,
                                   Stack& stack) {
  std::vector<Shape> shapes;
  if (key == "P1") shapes = {{"/bin/true", options.wide_steps, false}};
  if (key == "P2") shapes = {{options.tiny, options.wide_steps, false}};
  if (key == "P4") {
    shapes = {{options.tiny, options.chain_steps, true}, {"/bin/true", options.chain_steps, true}};
  }
  std::vector<Contest> contests;
  for (const Shape& shape : shapes) contests.push_back(ContestOf(key, shape, options, stack));
  return contests;
}

}  // namespace potok::bench
