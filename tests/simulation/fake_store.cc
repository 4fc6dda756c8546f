#include "tests/simulation/fake_store.h"

#include <algorithm>

#include "common/base/overloaded.h"
#include "server/domain/fingerprint.h"

namespace potok::server {

absl::Status FakeStore::Commit(std::int64_t revision,
                               const std::vector<Change>& changes,
                               std::uint32_t faults_per_mille) {
  if (revision == revision_) return absl::OkStatus();  // an earlier try had succeeded after all
  if (revision != revision_ + 1) ledger_.violations.push_back("a revision was left out");
  if (random_.Chance(faults_per_mille)) {
    if (random_.Chance(300)) return absl::AbortedError("rolled back");
    if (random_.Chance(500)) {
      revision_ = revision;
      Keep(changes);
    }
    return absl::UnavailableError("the connection broke during the commit");
  }
  revision_ = revision;
  Keep(changes);
  return absl::OkStatus();
}

void FakeStore::Keep(const std::vector<Change>& changes) {
  for (const Change& change : changes) {
    std::visit(Overloaded{
                   [&](const ServerStarted& c) { epoch_ = std::max(epoch_, c.epoch); },
                   [&](const RunAdded& c) {
                     if (runs_.contains(c.id))
                       ledger_.violations.push_back("a run was added twice");
                     runs_[c.id] = {c, {c.id, RunStatus::kNotStarted, "", c.at}};
                     run_by_name_[c.name] = c.id;
                   },
                   [&](const RunMoved& c) { KeepRun(c); },
                   [&](const StepMoved& c) { KeepStep(c); },
                   [&](const MachineChanged& c) { machines_[c.id] = c; },
                   [&](const StepsAdded& c) {
                     growth_[c.run].push_back(c);
                     std::get<StepsAdded>(growth_[c.run].back()).segment = nullptr;
                   },
                   [&](const TrialMeasured& c) { growth_[c.run].push_back(c); },
                   [&](const RunOrdered& c) { growth_[c.run].push_back(c); },
                   [&](const TeamChanged& c) { teams_.emplace_back(c); },
                   [&](const TeamUsed& c) { teams_.emplace_back(c); },
                   [&](const PoolChanged& c) {
                     pools_.erase(c.name);
                     if (!c.deleted) pools_.emplace(c.name, c);
                   },
               },
               change);
  }
}

void FakeStore::KeepRun(const RunMoved& moved) {
  RunRow& row = runs_.at(moved.id);
  if (IsTerminal(row.moved.status)) {
    ledger_.violations.push_back("run " + row.added.name + " moved after its end");
  }
  row.moved = moved;
}

void FakeStore::KeepStep(const StepMoved& moved) {
  const AttemptKey key{moved.step.run, moved.step.index, moved.attempt};
  const auto before = steps_.find(moved.step);
  const bool ended = before != steps_.end() && IsTerminal(before->second.state);
  if (ended) ledger_.violations.push_back("step of " + ToString(key) + " moved after its end");
  const bool canceled = runs_.at(moved.step.run).moved.status == RunStatus::kCancelRequested;
  if (canceled && std::holds_alternative<Assigned>(moved.state)) {
    ledger_.violations.push_back("attempt " + ToString(key) + " placed after its cancellation");
  }
  if (const auto* succeeded = std::get_if<Succeeded>(&moved.state)) {
    ++results_;
    // A control step runs nothing: what it gives is what its bodies made.
    const bool is_control = moved.attempt == 0 && !succeeded->reused.has_value();
    const AttemptKey from = succeeded->reused ? succeeded->reused->from : key;
    const std::string maker = ToString(from);
    // One on several machines is reused as a whole.
    const bool is_of_control = succeeded->reused.has_value() && from.attempt == 0;
    if (is_of_control) {
      const auto made = steps_.find(from.step());
      const auto* whole =
          made == steps_.end() ? nullptr : std::get_if<Succeeded>(&made->second.state);
      if (whole == nullptr || whole->outputs != succeeded->outputs) {
        ledger_.violations.push_back("attempt " + ToString(key) + " was not given what " + maker +
                                     " made");
      }
    }
    for (const OutputValue& output : succeeded->outputs) {
      // Agents sign what they make.
      if (is_control || is_of_control || std::get<std::string>(output.value) == maker) continue;
      ledger_.violations.push_back("attempt " + ToString(key) + " was given the result of " +
                                   std::get<std::string>(output.value));
    }
  }
  if (moved.offer.has_value()) offers_[moved.offer->fingerprint] = moved.step;
  steps_[moved.step] = moved;
}

std::optional<Result> FakeStore::FindResult(const Fingerprint& fingerprint) const {
  const auto offer = offers_.find(fingerprint);
  if (offer == offers_.end()) return std::nullopt;
  const StepMoved& moved = steps_.at(offer->second);
  return Result{{moved.step.run, moved.step.index, moved.attempt},
                std::get<Succeeded>(moved.state).outputs,
                moved.at,
                1};
}

State FakeStore::Load() const {
  State state;
  state.epoch = epoch_;
  if (!runs_.empty()) state.next_run = runs_.rbegin()->first + 1;
  for (const Change& change : teams_) Apply(state, change);
  for (const auto& [id, row] : runs_) {
    if (IsTerminal(row.moved.status)) continue;
    Apply(state, row.added);
    Apply(state, row.moved);
    const auto grown = growth_.find(id);
    if (grown != growth_.end()) {
      for (const Change& change : grown->second) Apply(state, change);
    }
    const auto end = steps_.lower_bound({id + 1, 0});
    for (auto it = steps_.lower_bound({id, 0}); it != end; ++it) Apply(state, it->second);
  }
  for (const auto& [id, machine] : machines_) Apply(state, machine);
  for (const auto& [name, pool] : pools_) Apply(state, pool);
  for (const auto& [fingerprint, step] : offers_) {
    state.reuse.offered.insert(PrefixOf(fingerprint));
  }
  return state;
}

const StepMoved* FakeStore::FindStep(const StepKey& step) const {
  const auto it = steps_.find(step);
  return it == steps_.end() ? nullptr : &it->second;
}

std::optional<std::pair<RunId, RunStatus>> FakeStore::FindRun(const std::string& name) const {
  const auto id = run_by_name_.find(name);
  if (id == run_by_name_.end()) return std::nullopt;
  return std::pair(id->second, runs_.at(id->second).moved.status);
}

std::size_t FakeStore::open_runs() const {
  const auto open = std::count_if(runs_.begin(), runs_.end(), [](const auto& entry) {
    return !IsTerminal(entry.second.moved.status);
  });
  return static_cast<std::size_t>(open);
}

}  // namespace potok::server
