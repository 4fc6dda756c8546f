// What the steps of a live run wait for, and where people put it in the order: asked of the
// scheduler.
#include <future>
#include <utility>

#include "absl/time/clock.h"
#include "server/domain/explain_team.h"
#include "server/domain/placement.h"
#include "server/rpc/convert.h"
#include "server/rpc/run_view.h"

namespace potok::server {

namespace {

constexpr std::size_t kStepsExplained = 50;
constexpr std::size_t kDetailsExplained = 10;

std::vector<std::string> DetailsOf(const State& state,
                                   const StepKey& key,
                                   const DecideOptions& options,
                                   absl::Time now) {
  std::vector<std::string> details;
  const auto add = [&](const std::string& line) {
    if (!line.empty()) details.push_back(line);
  };
  add(ExplainPlace(state, key, now));
  add(ExplainTurn(state, key, now));
  for (const std::string& line : ExplainMachines(state, key, options)) add(line);
  add(ExplainOpening(state, key, options, now));
  return details;
}

void AddOrdered(const RunOrdered& ordered, v1::Run& run) {
  if (ordered.hold.has_value()) {
    run.mutable_hold()->set_by(ordered.hold->by);
    run.mutable_hold()->set_reason(ordered.hold->reason);
    run.mutable_hold()->set_since_us(absl::ToUnixMicros(ordered.hold->since));
  }
  if (ordered.priority.has_value()) run.set_moved_priority(*ordered.priority);
  if (ordered.pool.has_value()) {
    run.set_moved_compute(ordered.pool->empty() ? "default" : *ordered.pool);
  }
}

}  // namespace

// Outputs that do not fit wait, which nobody would see at the step.
void RunView::ExplainFinalizing(v1::Run& run) {
  const std::string why = why_full_ == nullptr ? "" : why_full_();
  if (why.empty()) return;
  for (v1::StepStatus& status : *run.mutable_steps()) {
    if (status.status() == v1::STATUS_FINALIZING)
      status.set_waiting_for("room for its outputs: " + why);
  }
}

std::vector<RunView::Waiting> RunView::WhatTheyWaitFor(RunId run,
                                                       std::vector<std::uint32_t> steps,
                                                       Details details) {
  auto texts = std::make_shared<std::promise<std::vector<Waiting>>>();
  std::future<std::vector<Waiting>> answer = texts->get_future();
  const std::size_t details_max = details == Details::kTold ? kDetailsExplained : 0;
  const absl::Time now = absl::Now();
  const bool asked =
      scheduler_.Ask([texts, run, details_max, now, steps = std::move(steps), options = options_](
                         const State& state) {
        std::vector<Waiting> out;
        out.reserve(steps.size());
        for (const std::uint32_t index : steps) {
          const StepKey key{run, index};
          Waiting& waiting = out.emplace_back();
          waiting.waits_for = ExplainWaiting(state, key, options);
          if (out.size() <= details_max) waiting.details = DetailsOf(state, key, options, now);
        }
        texts->set_value(std::move(out));
      });
  if (!asked || answer.wait_for(std::chrono::seconds(1)) != std::future_status::ready) return {};
  return answer.get();
}

// Also of steps that wait with their whole run for another one.
void RunView::ExplainQueued(v1::Run& run, RunId id) {
  const bool may_wait_whole = !run.after().empty();
  std::vector<v1::StepStatus*> waiting;
  std::vector<std::uint32_t> indices;
  for (v1::StepStatus& status : *run.mutable_steps()) {
    if (waiting.size() == kStepsExplained) break;
    const bool waits = status.status() == v1::STATUS_QUEUED ||
                       (may_wait_whole && status.status() == v1::STATUS_NOT_STARTED);
    if (!waits) continue;
    waiting.push_back(&status);
    indices.push_back(static_cast<std::uint32_t>(status.index()));
  }
  if (waiting.empty()) return;
  const std::vector<Waiting> texts = WhatTheyWaitFor(id, std::move(indices), Details::kLeftOut);
  for (std::size_t i = 0; i < texts.size(); ++i) waiting[i]->set_waiting_for(texts[i].waits_for);
}

void RunView::AddOrder(const std::vector<v1::Run*>& runs) {
  std::vector<v1::Run*> live;
  std::vector<std::string> names;
  for (v1::Run* run : runs) {
    if (run->ended_us() != 0) continue;
    live.push_back(run);
    names.push_back(run->name());
  }
  if (live.empty()) return;
  auto orders = std::make_shared<std::promise<std::vector<RunOrdered>>>();
  std::future<std::vector<RunOrdered>> answer = orders->get_future();
  const bool asked = scheduler_.Ask([orders, names = std::move(names)](const State& state) {
    std::vector<RunOrdered> out(names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto id = state.run_by_name.find(names[i]);
      if (id == state.run_by_name.end()) continue;
      const RunRecord& run = state.runs.at(id->second);
      out[i] = {run.id, run.hold, run.priority, run.pool, run.created};
    }
    orders->set_value(std::move(out));
  });
  if (!asked || answer.wait_for(std::chrono::seconds(1)) != std::future_status::ready) return;
  const std::vector<RunOrdered> found = answer.get();
  for (std::size_t i = 0; i < live.size(); ++i) AddOrdered(found[i], *live[i]);
}

}  // namespace potok::server
