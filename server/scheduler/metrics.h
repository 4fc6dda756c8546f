// The scheduler's metrics, computed from committed batches: the code that decides counts nothing.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <map>
#include <memory>
#include <string>

#include "server/domain/state.h"
#include "server/store/store.h"

namespace potok::server {

// Written by the scheduler's thread; read by the registry's collector (prometheus-cpp's values are
// atomic).
class SchedulerMetrics {
 public:
  // `registry` outlives this.
  explicit SchedulerMetrics(prometheus::Registry& registry);

  // Everything, once after a start.
  void ObserveState(const State& state);
  // What a committed batch changed; `state` is after it.
  void ObserveBatch(const Batch& batch, const State& state);

 private:
  prometheus::Family<prometheus::Gauge>& steps_family_;
  prometheus::Family<prometheus::Counter>& transitions_family_;
  prometheus::Family<prometheus::Counter>& attempts_family_;
  prometheus::Family<prometheus::Counter>& runs_finished_family_;
  prometheus::Family<prometheus::Counter>& preemptions_family_;
  prometheus::Family<prometheus::Counter>& inputs_family_;
  prometheus::Counter& fetched_bytes_;
  prometheus::Counter& found_bytes_;
  prometheus::Family<prometheus::Gauge>& machines_family_;
  prometheus::Family<prometheus::Gauge>& memory_family_;
  prometheus::Family<prometheus::Gauge>& gpus_family_;
  prometheus::Gauge& runs_;
  prometheus::Gauge& queued_;
  prometheus::Family<prometheus::Gauge>& waiting_family_;
  prometheus::Gauge& waiting_for_machine_;
  prometheus::Gauge& waiting_held_;
  prometheus::Gauge& waiting_limit_;
  prometheus::Gauge& waiting_quota_;
  prometheus::Gauge& revision_;
  prometheus::Counter& runs_created_;
  prometheus::Histogram& queue_seconds_;
  prometheus::Histogram& batch_changes_;
  std::array<prometheus::Counter*, std::variant_size_v<StepState>> transitions_{};
  std::array<prometheus::Gauge*, std::variant_size_v<StepState>> steps_{};
  // Of each step of a live run: the state that the gauge counts it under, and since when.
  struct Counted {
    std::size_t state = 0;  // Blocked
    absl::Time since;
  };
  std::map<RunId, std::vector<Counted>> counted_;
  // Of attempts that ended, as they are first met.
  prometheus::Counter& succeeded_;
  std::map<FailureCause, prometheus::Counter*> failed_;

  // How many steps more are in each state, and how often it was entered.
  struct Moves {
    std::array<int, std::variant_size_v<StepState>> more{};
    std::array<int, std::variant_size_v<StepState>> entered{};
  };
  void ObserveSteps(const RunAdded& added, Moves* moves);
  void ObserveSteps(const StepsAdded& added, const State& state, Moves* moves);
  void ObserveStep(const StepMoved& moved, Moves* moves);
  void ObservePreemption(const StepMoved& moved, const State& state);
  void ObserveFailure(FailureCause cause);
  void ObserveMachines(const State& state);
  void ObserveQueue(const State& state);

 public:
  prometheus::Gauge& mailbox_depth;
  prometheus::Counter& stale_reports;
  prometheus::Counter& commit_retries;
  prometheus::Histogram& commit_seconds;
  prometheus::Histogram& decide_seconds;
};

}  // namespace potok::server
