#include "tests/bench/placement/scheduler_placer.h"

#include <utility>

#include "common/base/check.h"
#include "fmt/format.h"
#include "server/domain/decide.h"
#include "server/domain/plan.h"
#include "server/domain/state.h"

namespace potok::bench {

namespace {

using server::placing::Machine;
using server::placing::Request;

constexpr absl::Time kNow = absl::UnixEpoch();

server::MachineHello HelloOf(const Machine& machine, std::size_t number) {
  server::MachineChanged facts;
  facts.name = fmt::format("m{}", number);
  facts.state_id = facts.name;
  facts.boot_id = facts.name;
  facts.capacity.cpu_millis = machine.cpu_millis;
  facts.capacity.memory_bytes = machine.memory_bytes;
  facts.capacity.gpu_millis = static_cast<std::int32_t>(machine.gpus.size()) * kMillisOfGpu;
  for (const server::placing::Gpu& gpu : machine.gpus) {
    server::GpuInfo& to = facts.gpus.emplace_back();
    to.index = gpu.index;
    to.model = gpu.model;
    to.memory_bytes = gpu.memory_bytes;
  }
  return {number + 1, facts, {}, {}};
}

std::shared_ptr<const server::Plan> PlanOf(const Request& request) {
  Step step;
  step.name = "task";
  step.command = "true";
  step.deterministic = false;
  step.resources.cpu_millis = request.cpu_millis;
  step.resources.memory_bytes = request.memory_bytes;
  step.resources.gpu_millis = request.gpu_millis;
  step.gpu_models = request.gpu_models;
  PipelineSpec spec;
  spec.steps = {step};
  auto plan = server::BuildPlan(std::move(spec));
  POTOK_CHECK(plan.ok());
  return *plan;
}

class SchedulerPlacer : public Placer {
 public:
  SchedulerPlacer(const std::vector<Machine>& machines, const std::vector<Request>& requests) {
    std::vector<server::Event> hellos;
    for (std::size_t i = 0; i < machines.size(); ++i) {
      hellos.emplace_back(HelloOf(machines[i], i));
    }
    server::DecideTurn(state_, hellos, kNow, {});
    for (const Request& request : requests) plans_.push_back(PlanOf(request));
  }

  bool Place(std::size_t number) override {
    const std::string name = fmt::format("r{}", arrivals_++);
    server::DecideTurn(
        state_, {server::RunSubmitted{1, name, name, {}, plans_[number], "me"}}, kNow, {});
    if (state_.queued.size() == 0) return true;
    server::DecideTurn(state_, {server::CancelRequested{1, name, "it fits nowhere"}}, kNow, {});
    return false;
  }

 private:
  server::State state_;
  std::vector<std::shared_ptr<const server::Plan>> plans_;
  std::size_t arrivals_ = 0;
};

}  // namespace

std::unique_ptr<Placer> MakeSchedulerPlacer(const std::vector<Machine>& machines,
                                            const std::vector<Request>& requests) {
  return std::make_unique<SchedulerPlacer>(machines, requests);
}

}  // namespace potok::bench
