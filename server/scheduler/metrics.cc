#include "server/scheduler/metrics.h"

#include "common/base/overloaded.h"

namespace potok::server {

namespace {

using Buckets = prometheus::Histogram::BucketBoundaries;

// Factor 2 from `first`, as the Kubernetes scheduler does.
Buckets Doubling(double first, int count) {
  Buckets buckets;
  for (int i = 0; i < count; ++i, first *= 2) buckets.push_back(first);
  return buckets;
}

prometheus::Family<prometheus::Gauge>& GaugeFamily(prometheus::Registry& registry,
                                                   const char* name,
                                                   const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}
prometheus::Family<prometheus::Counter>& CounterFamily(prometheus::Registry& registry,
                                                       const char* name,
                                                       const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}
prometheus::Histogram& MakeHistogram(prometheus::Registry& registry,
                                     const char* name,
                                     const char* help,
                                     const Buckets& buckets) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry).Add({}, buckets);
}

// Deduced, so that the compiler counts them.
constexpr std::array kStateNames = {"blocked",
                                    "queued",
                                    "assigned",
                                    "running",
                                    "uploading",
                                    "stopping",
                                    "succeeded",
                                    "failed",
                                    "canceled",
                                    "skipped",
                                    "resolving",
                                    "open",
                                    "delayed",
                                    "leaving"};
static_assert(kStateNames.size() == std::variant_size_v<StepState>);

const char* NameOfLiveness(Liveness liveness) {
  switch (liveness) {
    case Liveness::kReady:
      return "ready";
    case Liveness::kNotResponding:
      return "not_responding";
    case Liveness::kLost:
      return "lost";
    case Liveness::kGone:
      return "gone";
  }
  return "unknown";
}

}  // namespace

SchedulerMetrics::SchedulerMetrics(prometheus::Registry& registry)
    : steps_family_(GaugeFamily(registry, "potok_steps", "Steps of unfinished runs by state.")),
      transitions_family_(CounterFamily(
          registry, "potok_step_transitions_total", "Stored step states, by the state entered.")),
      attempts_family_(CounterFamily(registry,
                                     "potok_step_attempts_finished_total",
                                     "Attempts that ended, by result and reason.")),
      runs_finished_family_(CounterFamily(
          registry, "potok_runs_finished_total", "Runs that reached a final state, by result.")),
      preemptions_family_(CounterFamily(
          registry,
          "potok_preemptions_total",
          "Steps told to stop for a team that takes back what it is guaranteed, by their pool.")),
      inputs_family_(CounterFamily(
          registry,
          "potok_step_input_bytes_total",
          "Code and inputs of attempts that ended, by where they came from (store, machine).")),
      fetched_bytes_(inputs_family_.Add({{"from", "store"}})),
      found_bytes_(inputs_family_.Add({{"from", "machine"}})),
      machines_family_(GaugeFamily(registry, "potok_agents", "Machines by liveness.")),
      memory_family_(GaugeFamily(registry,
                                 "potok_agent_memory_bytes",
                                 "Memory of machines by kind (capacity, allocated).")),
      gpus_family_(GaugeFamily(
          registry, "potok_agent_gpus", "GPUs of machines by kind (capacity, allocated).")),
      runs_(GaugeFamily(registry, "potok_runs", "Runs that have not ended.").Add({})),
      queued_(
          GaugeFamily(registry, "potok_steps_queued", "Steps that wait for a machine.").Add({})),
      waiting_family_(GaugeFamily(registry,
                                  "potok_steps_waiting",
                                  "Steps that are ready to be placed, by what they wait for.")),
      waiting_for_machine_(waiting_family_.Add({{"reason", "machine"}})),
      waiting_held_(waiting_family_.Add({{"reason", "held"}})),
      waiting_limit_(waiting_family_.Add({{"reason", "run_limit"}})),
      waiting_quota_(waiting_family_.Add({{"reason", "quota"}})),
      revision_(GaugeFamily(registry, "potok_journal_revision", "Newest stored revision.").Add({})),
      runs_created_(CounterFamily(registry, "potok_runs_created_total", "Runs created.").Add({})),
      queue_seconds_(MakeHistogram(registry,
                                   "potok_step_queue_duration_seconds",
                                   "Time from ready to placed on a machine.",
                                   Doubling(0.001, 20))),
      batch_changes_(MakeHistogram(registry,
                                   "potok_scheduler_batch_changes",
                                   "Changes stored by one commit.",
                                   Doubling(1, 16))),
      succeeded_(attempts_family_.Add({{"result", "succeeded"}, {"reason", ""}})),
      mailbox_depth(
          GaugeFamily(registry, "potok_scheduler_mailbox_depth", "Events taken by the last turn.")
              .Add({})),
      stale_reports(CounterFamily(registry,
                                  "potok_fenced_reports_total",
                                  "Reports ignored because their attempt is not the latest.")
                        .Add({})),
      commit_retries(CounterFamily(registry,
                                   "potok_db_commit_retries_total",
                                   "Commits that had to be tried again.")
                         .Add({})),
      commit_seconds(MakeHistogram(registry,
                                   "potok_db_commit_duration_seconds",
                                   "Time of one commit of the journal.",
                                   Doubling(0.00005, 18))),
      decide_seconds(MakeHistogram(registry,
                                   "potok_scheduler_decide_duration_seconds",
                                   "Time of claiming and deciding in one turn.",
                                   Doubling(0.00001, 20))) {
  for (std::size_t i = 0; i < kStateNames.size(); ++i) {
    transitions_[i] = &transitions_family_.Add({{"to", kStateNames[i]}});
    steps_[i] = &steps_family_.Add({{"state", kStateNames[i]}});
  }
}

void SchedulerMetrics::ObserveState(const State& state) {
  runs_.Set(static_cast<double>(state.runs.size()));
  ObserveQueue(state);
  counted_.clear();
  for (const auto& [id, run] : state.runs) {
    std::vector<Counted>& counted = counted_[id];
    for (const StepRecord& step : run.steps) {
      counted.push_back({step.state().index(), step.since});
      if (!IsTerminal(step.state())) steps_[step.state().index()]->Increment();
    }
  }
  ObserveMachines(state);
}

void SchedulerMetrics::ObserveQueue(const State& state) {
  queued_.Set(static_cast<double>(state.queued.size()));
  const std::size_t for_quota = CountWaitingForQuota(state);
  waiting_for_machine_.Set(static_cast<double>(state.queued.parked(Parked::kNot) - for_quota));
  waiting_quota_.Set(static_cast<double>(for_quota));
  waiting_held_.Set(static_cast<double>(state.queued.parked(Parked::kHeld)));
  waiting_limit_.Set(static_cast<double>(state.queued.parked(Parked::kLimit)));
}

void SchedulerMetrics::ObserveBatch(const Batch& batch, const State& state) {
  bool machines_changed = false;
  Moves moves;
  for (const Change& change : batch.changes) {
    std::visit(Overloaded{
                   [&](const StepMoved& moved) {
                     ObservePreemption(moved, state);
                     ObserveStep(moved, &moves);
                     machines_changed = true;
                   },
                   [&](const RunAdded& added) {
                     runs_created_.Increment();
                     ObserveSteps(added, &moves);
                   },
                   [&](const RunMoved& moved) {
                     if (!IsTerminal(moved.status)) return;
                     counted_.erase(moved.id);
                     const char* result = moved.status == RunStatus::kCompleted ? "completed"
                                          : moved.status == RunStatus::kFailed  ? "failed"
                                                                                : "canceled";
                     runs_finished_family_.Add({{"result", result}}).Increment();
                   },
                   [&](const StepsAdded& added) { ObserveSteps(added, state, &moves); },
                   [](const TrialMeasured&) {},
                   [](const RunOrdered&) {},
                   [](const TeamChanged&) {},
                   [](const TeamUsed&) {},
                   [](const PoolChanged&) {},
                   [&](const MachineChanged&) { machines_changed = true; },
                   [](const ServerStarted&) {},
               },
               change);
  }
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (moves.more[i] != 0) steps_[i]->Increment(moves.more[i]);
    if (moves.entered[i] > 0) transitions_[i]->Increment(moves.entered[i]);
  }
  batch_changes_.Observe(static_cast<double>(batch.changes.size()));
  revision_.Set(static_cast<double>(batch.revision));
  runs_.Set(static_cast<double>(state.runs.size()));
  ObserveQueue(state);
  if (machines_changed && state.machines.size() <= 100) ObserveMachines(state);
}

void SchedulerMetrics::ObserveSteps(const RunAdded& added, Moves* moves) {
  std::vector<Counted>& counted = counted_[added.id];
  for (std::uint32_t i = 0; i < added.steps; ++i) {
    const bool is_queued = added.after.empty() && added.plan != nullptr && added.plan->IsRoot(i);
    const std::size_t state =
        is_queued ? StepState(Queued{}).index() : StepState(Blocked{}).index();
    counted.push_back({state, added.at});
    ++moves->more[state];
    if (is_queued) ++moves->entered[state];
  }
}

void SchedulerMetrics::ObserveSteps(const StepsAdded& added, const State& state, Moves* moves) {
  const auto run = counted_.find(added.run);
  if (run == counted_.end()) return;
  const auto known = state.runs.find(added.run);
  for (std::uint32_t i = added.first; i < added.first + added.count; ++i) {
    const bool is_queued =
        known != state.runs.end() && known->second.plan != nullptr && known->second.plan->IsRoot(i);
    const std::size_t entered =
        is_queued ? StepState(Queued{}).index() : StepState(Blocked{}).index();
    run->second.push_back({entered, added.at});
    ++moves->more[entered];
    if (is_queued) ++moves->entered[entered];
  }
}

void SchedulerMetrics::ObserveStep(const StepMoved& moved, Moves* moves) {
  if (moved.usage.has_value()) {
    fetched_bytes_.Increment(static_cast<double>(moved.usage->fetched_bytes.value_or(0)));
    found_bytes_.Increment(static_cast<double>(moved.usage->found_bytes.value_or(0)));
  }
  const auto run = counted_.find(moved.step.run);
  if (run == counted_.end()) return;  // it ended in this very batch
  Counted& counted = run->second.at(moved.step.index);
  const std::size_t entered = moved.state.index();
  ++moves->entered[entered];
  --moves->more[counted.state];
  if (counted.state == StepState(Queued{}).index() && entered != counted.state) {
    queue_seconds_.Observe(absl::ToDoubleSeconds(moved.at - counted.since));
  }
  counted = {entered, moved.at};
  if (!IsTerminal(moved.state)) ++moves->more[entered];
  if (const auto* failed = std::get_if<Failed>(&moved.state)) {
    ObserveFailure(failed->failure.cause);
  } else if (std::holds_alternative<Succeeded>(moved.state)) {
    succeeded_.Increment();
  }
}

void SchedulerMetrics::ObservePreemption(const StepMoved& moved, const State& state) {
  const auto* leaving = std::get_if<Leaving>(&moved.state);
  if (leaving == nullptr || !leaving->room_for.has_value()) return;
  const auto run = state.runs.find(moved.step.run);
  if (run == state.runs.end() || run->second.plan == nullptr) return;
  preemptions_family_.Add({{"pool", run->second.plan->shape_of(moved.step.index).pool}})
      .Increment();
}

void SchedulerMetrics::ObserveFailure(FailureCause cause) {
  prometheus::Counter*& counter = failed_[cause];
  if (counter == nullptr) {
    counter = &attempts_family_.Add({{"result", "failed"}, {"reason", NameOf(cause)}});
  }
  counter->Increment();
}

// Only on a change of a machine or a step, and only for clusters in which a walk is cheap: larger
// ones are read by the collector through the machine list.
void SchedulerMetrics::ObserveMachines(const State& state) {
  std::map<Liveness, int> by_liveness = {{Liveness::kReady, 0},
                                         {Liveness::kNotResponding, 0},
                                         {Liveness::kLost, 0},
                                         {Liveness::kGone, 0}};
  for (const auto& [id, machine] : state.machines) {
    ++by_liveness[machine.facts.liveness];
    const std::string& name = machine.facts.name;
    memory_family_.Add({{"agent", name}, {"kind", "capacity"}})
        .Set(static_cast<double>(machine.facts.capacity.memory_bytes));
    memory_family_.Add({{"agent", name}, {"kind", "allocated"}})
        .Set(static_cast<double>(machine.reserved.memory_bytes));
    gpus_family_.Add({{"agent", name}, {"kind", "capacity"}})
        .Set(machine.facts.capacity.gpu_millis / 1000.0);
    gpus_family_.Add({{"agent", name}, {"kind", "allocated"}})
        .Set(machine.reserved.gpu_millis / 1000.0);
  }
  for (const auto& [liveness, count] : by_liveness) {
    machines_family_.Add({{"state", NameOfLiveness(liveness)}}).Set(count);
  }
}

}  // namespace potok::server
