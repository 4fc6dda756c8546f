// Sweeps: trials of a body, each with values of its own, of which the best one counts.
#include <algorithm>
#include <limits>
#include <utility>

#include "fmt/format.h"
#include "server/domain/early_termination.h"
#include "server/domain/flow_rules.h"
#include "server/domain/gang.h"
#include "server/domain/sweep_model.h"
#include "server/domain/sweep_sampling.h"

namespace potok::server {

namespace {

constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();

bool IsOver(const OpenControl& open, const Sweep& sweep) {
  const absl::Duration passed = open.turn.now - open.run().steps[open.key.index].since;
  return sweep.timeout_seconds > 0 && passed >= absl::Seconds(sweep.timeout_seconds);
}

// What a trial logged last may be on its way when its end is heard of.
constexpr absl::Duration kMetricsLate = absl::Seconds(2);

// Whether nothing more is to be heard of trials that have all ended.
bool IsAllHeard(const OpenControl& open) {
  for (const BodyRecord& trial : open.bodies()) {
    if (trial.failed || trial.canceled || !trial.measured.empty()) continue;
    for (std::uint32_t i = trial.first; i < trial.first + trial.count; ++i) {
      if (open.turn.now - open.run().steps[i].since < kMetricsLate) return false;
    }
  }
  return true;
}

std::vector<OutputValue> WithSample(std::vector<OutputValue> values,
                                    std::vector<OutputValue> sample) {
  for (OutputValue& sampled : sample) {
    const auto own = std::ranges::find(values, sampled.name, &OutputValue::name);
    if (own == values.end()) {
      values.push_back(std::move(sampled));
    } else {
      own->value = std::move(sampled.value);
    }
  }
  return values;
}

// The completed trial with the best value; null if there is none. Of equal ones the first.
const BodyRecord* BestTrial(const OpenControl& open, const Sweep& sweep) {
  const BodyRecord* best = nullptr;
  std::optional<double> best_value;
  for (const BodyRecord& trial : open.bodies()) {
    if (trial.failed || trial.canceled) continue;
    const std::optional<double> value = trial.measured.BestOf(kAll, sweep.maximize);
    if (!value.has_value()) continue;
    const bool is_better =
        !best_value.has_value() || (sweep.maximize ? *value > *best_value : *value < *best_value);
    if (!is_better) continue;
    best = &trial;
    best_value = value;
  }
  return best;
}

void EndSweep(OpenControl& open, const Sweep& sweep) {
  if (const BodyRecord* best = BestTrial(open, sweep)) {
    return SucceedControl(open, OutputsOf(open, *best));
  }
  const std::vector<BodyRecord>& trials = open.bodies();
  const auto failed = std::ranges::find_if(trials, [](const auto& trial) { return trial.failed; });
  std::string why = fmt::format("none of {} trials completed and logged the metric '{}'",
                                trials.size(),
                                sweep.primary_metric);
  if (failed != trials.end()) why += "; " + WhyFailed(open, *failed);
  FailControl(open, why);
}

std::vector<TrialHistory> HistoriesOf(const std::vector<BodyRecord>& trials) {
  std::vector<TrialHistory> histories;
  histories.reserve(trials.size());
  for (const BodyRecord& trial : trials) {
    histories.push_back({&trial.measured, trial.open_steps == 0});
  }
  return histories;
}

// The parameters' values of the next trial.
std::vector<OutputValue> NextSample(const OpenControl& open, const Sweep& sweep) {
  const std::uint64_t seed = sweep.seed.has_value() ? static_cast<std::uint64_t>(*sweep.seed)
                                                    : SeedOf(open.run().name, open.name());
  const auto number = static_cast<std::uint32_t>(open.bodies().size());
  if (sweep.algorithm != "bayesian") return SampleTrial(sweep, seed, number);
  std::vector<TriedTrial> tried;
  tried.reserve(open.bodies().size());
  for (const BodyRecord& trial : open.bodies()) {
    const bool counts = trial.open_steps == 0 && !trial.failed;
    tried.push_back(
        {&trial.values, counts ? trial.measured.BestOf(kAll, sweep.maximize) : std::nullopt});
  }
  return SuggestTrial(sweep, seed, number, tried);
}

}  // namespace

void AdvanceSweep(OpenControl& open, const Sweep& sweep) {
  const std::uint32_t total = TrialsOf(sweep);
  const std::uint32_t at_once = sweep.max_concurrent_trials > 0
                                    ? static_cast<std::uint32_t>(sweep.max_concurrent_trials)
                                    : total;
  const bool is_over = IsOver(open, sweep);
  const std::vector<OutputValue> own = OwnValues(open);
  while (!is_over && open.bodies().size() < total && open.live() < at_once) {
    const std::string label = std::to_string(open.bodies().size());
    const std::vector<OutputValue> values = WithSample(own, NextSample(open, sweep));
    if (!AddBody(open, label, values, sweep.primary_metric)) return;
  }
  if (is_over) {
    const std::string reason =
        fmt::format("the sweep's timeout of {} seconds is over", sweep.timeout_seconds);
    for (const BodyRecord& trial : open.bodies()) {
      if (trial.open_steps > 0) StopBody(open.turn, open.key.run, trial, reason);
    }
  }
  const bool is_done = open.live() == 0 && (is_over || open.bodies().size() == total);
  if (is_done && IsAllHeard(open)) EndSweep(open, sweep);
}

void HearMetric(Turn& turn, const MetricReported& reported) {
  const auto it = turn.state.runs.find(reported.key.run);
  if (it == turn.state.runs.end() || it->second.plan == nullptr) return;
  const RunRecord& run = it->second;
  const std::uint32_t reporter = reported.key.index;
  if (reporter >= run.steps.size() || run.steps[reporter].attempt != reported.key.attempt) return;
  // A trial on several machines is measured by what any of its members logs.
  const std::optional<Membership> member = MembershipOf(*run.plan, reporter);
  const std::uint32_t index = member.has_value() ? member->control : reporter;
  const std::uint32_t attempt = member.has_value() ? member->first : reported.key.attempt;
  const Segment& segment = run.plan->SegmentOf(index);
  if (!segment.control.has_value()) return;
  OpenControl open{turn, {run.id, *segment.control}};
  const std::shared_ptr<const Control> control = open.step().control;
  const auto* sweep = std::get_if<Sweep>(&control->kind);
  if (sweep == nullptr || !open.is_open()) return;
  const BodyRecord& trial = open.bodies()[segment.ordinal];
  const bool is_known = trial.measured_step == index && trial.measured_attempt == attempt &&
                        reported.count <= static_cast<std::int64_t>(trial.measured.size());
  if (is_known || reported.count < 1) return;
  Emit(turn, TrialMeasured{run.id, index, attempt, reported.count, reported.value, turn.now});
  if (trial.open_steps == 0) {
    turn.to_advance.insert(open.key);
    return;
  }
  const std::string why = WhyStopTrial(
      sweep->early_termination, sweep->maximize, HistoriesOf(open.bodies()), segment.ordinal);
  if (!why.empty()) StopBody(turn, run.id, trial, "stopped early by the " + why);
}

void CheckSweepTimeouts(Turn& turn) {
  for (const StepKey& key : turn.state.open) {
    OpenControl open{turn, key};
    const auto* sweep = std::get_if<Sweep>(&open.control().kind);
    if (sweep != nullptr && (IsOver(open, *sweep) || open.live() == 0)) turn.to_advance.insert(key);
  }
}

}  // namespace potok::server
