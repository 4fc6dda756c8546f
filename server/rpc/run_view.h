// Runs as the API shows them, from the tables. Blocks on the database; thread-safe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "potok/v1/runs.pb.h"
#include "server/domain/plan.h"
#include "server/domain/state.h"
#include "server/logs/log_store.h"
#include "server/rpc/switchboard.h"
#include "server/store/store.h"

namespace potok::server {

// The attempt whose log a step has: its latest, or that of the step whose result it took. Attempt
// 0: none.
AttemptKey LogOf(RunId run, const StepRow& step);

class RunView {
 public:
  // All references outlive this. `why_full` says why outputs are refused by the store, or nothing;
  // any thread calls it.
  RunView(Reader& reader,
          LogStore& logs,
          Switchboard& switchboard,
          Scheduler& scheduler,
          DecideOptions options,
          std::function<std::string()> why_full = nullptr)
      : reader_(reader),
        logs_(logs),
        switchboard_(switchboard),
        scheduler_(scheduler),
        options_(options),
        why_full_(std::move(why_full)) {}

  // The run with the steps that changed after `after_revision`. NOT_FOUND.
  absl::StatusOr<v1::Run> Get(const std::string& name, bool with_spec, std::int64_t after_revision);
  absl::StatusOr<v1::Run> Get(RunId id, std::int64_t after_revision);
  // The run alone, without steps and outputs.
  absl::StatusOr<v1::Run> GetSummary(RunId id);

  // The steps by their numbers and names that `patterns` name, in the order of the pipeline: names,
  // or names with * and ?. Without patterns the one named `step`; empty is the only step of a run
  // that has one. NOT_FOUND names those there are.
  absl::StatusOr<std::vector<std::pair<std::uint32_t, std::string>>> FindSteps(
      const RunRow& run, const std::string& step, const std::vector<std::string>& patterns);

  // The run with its plan and the states of its steps. NOT_FOUND.
  absl::StatusOr<std::shared_ptr<const RunRecord>> Load(const RunRow& row);
  absl::StatusOr<std::shared_ptr<const RunRecord>> Load(RunId id);
  // All steps, by their numbers.
  absl::StatusOr<std::vector<StepRow>> StepsOf(const RunRow& row);
  // Adds to those that have not ended how people ordered them, as it is now.
  void AddOrder(const std::vector<v1::Run*>& runs);
  // Of a step that has not been placed: what it waits for, empty if nothing; and its place in the
  // order, the machines and their reasons, and when there will be room, one line each.
  struct Waiting {
    std::string waits_for;
    std::vector<std::string> details;
  };
  // Of each of the steps of a live run; nothing at all if the scheduler is stopping or busy. Of the
  // details, which take the scheduler's time, those of the first few at most.
  enum class Details { kLeftOut, kTold };
  std::vector<Waiting> WhatTheyWaitFor(RunId run,
                                       std::vector<std::uint32_t> steps,
                                       Details details);
  // Everything that a run does, also what it made of itself while it ran.
  absl::StatusOr<std::shared_ptr<const Plan>> PlanOf(const RunRow& row);

  // Empty if it is not known.
  std::string NameOf(MachineId machine);

  Reader& reader() { return reader_; }

 private:
  absl::StatusOr<v1::Run> Make(const RunRow& row, bool with_spec, std::int64_t after_revision);
  // A stored spec in both forms.
  struct StoredSpec {
    v1::PipelineSpec wire;
    std::shared_ptr<const Plan> plan;
  };

  absl::StatusOr<std::shared_ptr<const StoredSpec>> SpecOf(const RunRow& row);
  // Runs whose results others took, by number: name and plan; null if it cannot be read.
  struct Source {
    std::string name;
    std::shared_ptr<const Plan> plan;
  };
  using Sources = std::map<RunId, Source>;
  void NameSource(const StepRow& step, Sources& sources, v1::StepStatus& status);
  // With the steps that were added up to the row's revision, or later.
  absl::StatusOr<std::shared_ptr<const Plan>> PlanOf(const RunRow& row, const StoredSpec& spec);
  static void AddOutputs(v1::Run& run, const Plan& plan);
  void ExplainQueued(v1::Run& run, RunId id);
  void ExplainFinalizing(v1::Run& run);

  Reader& reader_;
  LogStore& logs_;
  Switchboard& switchboard_;
  Scheduler& scheduler_;
  const DecideOptions options_;
  const std::function<std::string()> why_full_;
  Mutex mutex_;
  // Specs never change: the last few are kept for those who watch.
  std::map<Digest, std::shared_ptr<const StoredSpec>> specs_ ABSL_GUARDED_BY(mutex_);
  // Likewise plans of runs that grew.
  std::map<RunId, std::shared_ptr<const Plan>> grown_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace potok::server
