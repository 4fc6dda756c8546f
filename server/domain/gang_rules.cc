// Steps on several machines at once: when the members of an attempt have all ended.
#include <utility>

#include "fmt/format.h"
#include "server/domain/fingerprint.h"
#include "server/domain/flow_rules.h"

namespace potok::server {

namespace {

std::uint32_t CountLost(const OpenControl& open) {
  std::uint32_t lost = 0;
  for (const BodyRecord& body : open.bodies()) {
    const std::optional<std::uint32_t> first = FirstFailed(open.run(), body);
    if (!first.has_value()) continue;
    const auto& failed = std::get<Failed>(open.run().steps[*first].state);
    if (failed.failure.cause == FailureCause::kMachineLost) ++lost;
  }
  return lost;
}

// What rank 0 made is what the step made.
void SucceedGang(OpenControl& open, const BodyRecord& members) {
  std::vector<OutputValue> outputs =
      std::get<Succeeded>(open.run().steps[members.first].state).outputs;
  if (HasDestinations(open.run().plan->SegmentOf(open.key.index).spec, open.step())) {
    open.turn.decision.effects.emplace_back(ComposeOutputs{open.key, {}, std::move(outputs)});
    return;
  }
  MoveStep(open.turn, open.key, AttemptSucceeded{std::move(outputs)});
}

// When all members begin once more after this failure of one of them; nothing: they do not.
std::optional<absl::Duration> DelayOfNext(const OpenControl& open, const Failure& failure) {
  const std::uint32_t lost = CountLost(open);
  switch (failure.cause) {
    case FailureCause::kMachineLost:
      if (lost > open.turn.options.machine_lost_max) return std::nullopt;
      return absl::ZeroDuration();
    case FailureCause::kQueueTimeout:
      return std::nullopt;
    default:
      return DelayOfRetry(
          open.step().retry, static_cast<std::int32_t>(open.bodies().size() - lost), failure);
  }
}

void BeginGang(OpenControl& open) {
  AddBody(open, std::to_string(open.bodies().size() + 1), OwnValues(open), "");
}

void AfterFailure(OpenControl& open, const BodyRecord& members) {
  const RunRecord& run = open.run();
  const std::optional<std::uint32_t> first = FirstFailed(run, members);
  if (!first.has_value()) return FailControl(open, WhyFailed(open, members));
  Failure failure = std::get<Failed>(run.steps[*first].state).failure;
  const std::optional<absl::Duration> delay = DelayOfNext(open, failure);
  failure.message = fmt::format("'{}': {}", run.plan->step(*first).name, failure.message);
  if (!delay.has_value()) return MoveStep(open.turn, open.key, AttemptFailed{std::move(failure)});
  if (*delay == absl::ZeroDuration()) return BeginGang(open);
  MoveStep(open.turn, open.key, RetryWanted{open.turn.now + *delay, std::move(failure)});
}

}  // namespace

void AdvanceGang(OpenControl& open) {
  if (open.live() > 0) return;
  if (open.bodies().empty()) return BeginGang(open);
  const BodyRecord& last = open.bodies().back();
  if (!last.failed && !last.canceled) return SucceedGang(open, last);
  AfterFailure(open, last);
}

void EndDelay(Turn& turn, const StepKey& key) {
  if (!IsGang(turn.state.runs.at(key.run).plan->step(key.index))) {
    return MoveStep(turn, key, DelayOver{});
  }
  MoveStep(turn, key, Opened{});
  OpenControl open{turn, key};
  if (open.is_open()) BeginGang(open);
}

}  // namespace potok::server
