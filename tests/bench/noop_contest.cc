// P3: how fast steps pass through the durable core when they cost nothing themselves.
#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "tests/bench/database.h"
#include "tests/bench/simulated_agent.h"
#include "tests/bench/workload.h"

namespace potok::bench {
namespace {

v1::PipelineSpec WideSpec(int steps, const std::string& pool) {
  v1::PipelineSpec spec;
  spec.set_is_pipeline(true);
  spec.set_experiment_name("bench");
  spec.mutable_settings()->set_force_rerun(true);
  spec.mutable_settings()->set_default_compute(pool);
  for (int i = 0; i < steps; ++i) {
    v1::Step& step = *spec.add_steps();
    step.set_name(fmt::format("s{}", i));
    step.set_command("none");
  }
  return spec;
}

// Counted from the durable answer to the submission, which P6 is about.
absl::StatusOr<Measure> RunNoops(Stack& stack, int steps, int places) {
  const std::string machine = fmt::format("bench-{}", places);
  POTOK_ASSIGN_OR_RETURN(
      const std::unique_ptr<SimulatedAgent> agent,
      SimulatedAgent::Connect(stack.channel(), {machine, places}, SimulatedAgent::Ending::kLeave));
  StackTimes times;
  POTOK_RETURN_IF_ERROR(stack.RunToEnd(WideSpec(steps, machine), &times).status());
  if (agent->acknowledged() != steps) {
    return absl::InternalError(fmt::format(
        "{} of {} ends were acknowledged by the end of the run", agent->acknowledged(), steps));
  }
  Measure measure{times.ended_us - times.accepted_us};
  measure.cpu_us = PerUnit(times.accepted, stack.ReadCpu(), steps);
  measure.also["committed"] = agent->acknowledged_at() - times.accepted_us;
  return measure;
}

}  // namespace

std::vector<Contest> NoopContests(const WorkloadOptions& options, Stack& stack) {
  const int steps = options.noop_steps;
  Contest contest{
      "P3",
      fmt::format("{} independent steps that are no process", steps),
      static_cast<double>(steps),
      "step",
      {RateColumn("steps/s in the tables"), RateUntilColumn("committed", "steps/s committed")}};
  const auto database = [&stack] { return Database::Open(stack.database_url()); };
  contest.contestants.push_back({"the same rows", [database, steps]() -> absl::StatusOr<Measure> {
                                   POTOK_ASSIGN_OR_RETURN(const auto opened, database());
                                   return opened->WriteSteps(steps);
                                 }});
  contest.contestants.push_back({"narrow rows", [database, steps]() -> absl::StatusOr<Measure> {
                                   POTOK_ASSIGN_OR_RETURN(const auto opened, database());
                                   return opened->UpdateNarrowRows(steps);
                                 }});
  for (const int places : options.noop_places) {
    contest.contestants.push_back(
        {fmt::format("Potok, {} at once", places),
         [&stack, steps, places] { return RunNoops(stack, steps, places); }});
  }
  return {contest};
}

}  // namespace potok::bench
