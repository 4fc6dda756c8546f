#include <utility>

#include "common/base/overloaded.h"
#include "server/domain/fingerprint.h"
#include "server/domain/order.h"
#include "server/domain/turn.h"

namespace potok::server {

namespace {

const Step& StepAt(const Turn& turn, const StepKey& key) {
  return turn.state.runs.at(key.run).plan->definition(key.index);
}

bool IsForcedAt(const Turn& turn, const StepKey& key) {
  return IsForced(turn.state.runs.at(key.run).plan->spec(), StepAt(turn, key));
}

std::optional<Fingerprint> FingerprintAt(const Turn& turn, const StepKey& key) {
  const auto& fingerprints = turn.state.reuse.fingerprints;
  const auto known = fingerprints.find(key);
  if (known != fingerprints.end()) return known->second;
  const RunRecord& run = turn.state.runs.at(key.run);
  const auto inputs = ResolveInputs(run, key.index);
  if (!inputs.ok()) return std::nullopt;
  return FingerprintOf(run.plan->definition(key.index), *inputs);
}

// What the submission brought for the step, if its inputs are what was assumed.
const Result* Brought(const Turn& turn, const StepKey& key, const Fingerprint& fingerprint) {
  if (turn.found == nullptr || key.run != turn.submitted) return nullptr;
  const auto found = turn.found->find(key.index);
  const bool fits = found != turn.found->end() && found->second.fingerprint == fingerprint;
  return fits ? &found->second.result : nullptr;
}

void Take(Turn& turn, const StepKey& key, const Result& result) {
  MoveStep(turn, key, ResultTaken{result.outputs, {result.made_by, result.duration_us}});
}

void LookUp(Turn& turn, const StepKey& key, const Fingerprint& fingerprint) {
  const RunRecord& run = turn.state.runs.at(key.run);
  turn.state.reuse.fingerprints.try_emplace(key, fingerprint);
  MoveStep(turn, key, ResultSought{});
  turn.state.reuse.sought.insert(key);
  turn.decision.effects.emplace_back(
      FindResult{key, fingerprint, MaxAgeOf(run.plan->definition(key.index)), run.name, run.plan});
}

// The equal step that runs, or null.
const StepKey* RunningEqual(const Turn& turn, const StepKey& key, const Fingerprint& fingerprint) {
  const auto running = turn.state.reuse.running.find(PrefixOf(fingerprint));
  if (running == turn.state.reuse.running.end() || running->second == key) return nullptr;
  if (!turn.state.runs.contains(running->second.run)) return nullptr;
  return FingerprintAt(turn, running->second) == fingerprint ? &running->second : nullptr;
}

void Begin(Turn& turn, const StepKey& key) {
  if (IsControl(StepAt(turn, key))) return OpenStep(turn, key);
  MoveStep(turn, key, InputsReady{});
}

void RunOrWait(Turn& turn, const StepKey& key, const Fingerprint& fingerprint) {
  turn.state.reuse.fingerprints.try_emplace(key, fingerprint);
  if (!IsForcedAt(turn, key)) {
    if (const StepKey* equal = RunningEqual(turn, key, fingerprint)) {
      turn.state.reuse.waiting_for[*equal].insert(key);
      return MoveStep(turn, key, ResultSought{});
    }
  }
  turn.state.reuse.running.try_emplace(PrefixOf(fingerprint), key);
  Begin(turn, key);
}

bool IsResolving(const Turn& turn, const StepKey& key) {
  const auto run = turn.state.runs.find(key.run);
  return run != turn.state.runs.end() &&
         std::holds_alternative<Resolving>(run->second.steps[key.index].state());
}

// From its being queued to its end.
bool IsBegun(const StepState& state) {
  return std::holds_alternative<Queued>(state) || std::holds_alternative<Delayed>(state) ||
         std::holds_alternative<Open>(state) || PlacementOf(state) != nullptr;
}

// Calls `visit` with every step that may be reused.
template <class Visit>
void ForEachReusable(const Turn& turn, const Visit& visit) {
  for (const auto& [id, run] : turn.state.runs) {
    if (run.plan == nullptr) continue;
    for (std::uint32_t i = 0; i < run.steps.size(); ++i) {
      if (IsReusable(run.plan->definition(i))) visit(StepKey{id, i}, run.steps[i].state());
    }
  }
}

}  // namespace

void StartOrTake(Turn& turn, const StepKey& key, const std::vector<OrderInput>& inputs) {
  const Step& step = StepAt(turn, key);
  const Fingerprint fingerprint = FingerprintOf(step, inputs);
  if (IsForcedAt(turn, key)) return RunOrWait(turn, key, fingerprint);
  const Result* brought = Brought(turn, key, fingerprint);
  const Plan& plan = *turn.state.runs.at(key.run).plan;
  const bool decides_alone = !HasDestinations(plan.SegmentOf(key.index).spec, step);
  if (brought != nullptr && decides_alone) return Take(turn, key, *brought);
  if (turn.state.reuse.offered.contains(PrefixOf(fingerprint))) {
    return LookUp(turn, key, fingerprint);
  }
  RunOrWait(turn, key, fingerprint);
}

void HearResult(Turn& turn, const ResultLookedUp& looked_up) {
  const StepKey& key = looked_up.step;
  if (turn.state.reuse.sought.erase(key) == 0 || !IsResolving(turn, key)) return;
  if (looked_up.result.has_value()) return Take(turn, key, *looked_up.result);
  turn.state.runs.at(key.run).steps[key.index].lack = looked_up.lack;
  const std::optional<Fingerprint> fingerprint = FingerprintAt(turn, key);
  if (fingerprint.has_value()) return RunOrWait(turn, key, *fingerprint);
  Begin(turn, key);
}

std::optional<Offer> OfferOf(const Turn& turn, const StepKey& key) {
  const Step& step = StepAt(turn, key);
  if (!IsReusable(step)) return std::nullopt;
  if (IsForcedAt(turn, key) && !turn.options.forced_results_offered) return std::nullopt;
  const std::optional<Fingerprint> fingerprint = FingerprintAt(turn, key);
  if (!fingerprint.has_value()) return std::nullopt;
  return Offer{*fingerprint, KinOf(step, turn.state.runs.at(key.run).plan->NameOf(key.index))};
}

void ServeWaiters(Turn& turn, const StepKey& key) {
  const RunRecord& run = turn.state.runs.at(key.run);
  if (run.plan == nullptr || !IsReusable(run.plan->definition(key.index))) return;
  ReuseBook& book = turn.state.reuse;
  const auto* succeeded = std::get_if<Succeeded>(&run.steps[key.index].state());
  const bool took = succeeded != nullptr && succeeded->reused.has_value();
  const auto known = book.fingerprints.find(key);
  if (known == book.fingerprints.end()) return;  // it has neither begun nor waited for another
  const Fingerprint fingerprint = known->second;
  book.fingerprints.erase(known);
  if (took) return;
  const auto running = book.running.find(PrefixOf(fingerprint));
  if (running != book.running.end() && running->second == key) book.running.erase(running);
  const auto waiting = book.waiting_for.find(key);
  if (waiting == book.waiting_for.end()) return;
  const std::set<StepKey> waiters = std::move(waiting->second);
  book.waiting_for.erase(waiting);
  for (const StepKey& waiter : waiters) {
    if (!IsResolving(turn, waiter)) continue;
    const Plan& plan = *turn.state.runs.at(waiter.run).plan;
    if (succeeded == nullptr) {
      RunOrWait(turn, waiter, fingerprint);
    } else if (HasDestinations(plan.SegmentOf(waiter.index).spec, plan.definition(waiter.index))) {
      LookUp(turn, waiter, fingerprint);
    } else {
      const AttemptKey from{key.run, key.index, run.steps[key.index].attempt};
      MoveStep(turn, waiter, ResultTaken{succeeded->outputs, {from, 0}});
    }
  }
}

void RestoreReuse(Turn& turn) {
  std::set<StepKey> resolving;
  ForEachReusable(turn, [&](const StepKey& key, const StepState& state) {
    if (std::holds_alternative<Resolving>(state)) resolving.insert(key);
    if (!IsBegun(state)) return;
    const std::optional<Fingerprint> fingerprint = FingerprintAt(turn, key);
    if (!fingerprint.has_value()) return;
    turn.state.reuse.fingerprints.try_emplace(key, *fingerprint);
    turn.state.reuse.running.try_emplace(PrefixOf(*fingerprint), key);
  });
  for (const StepKey& key : resolving) MakeReady(turn, key);
}

}  // namespace potok::server
