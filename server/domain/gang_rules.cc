// Steps on several machines at once: when the members of an attempt have all ended.
#include <utility>

#include "fmt/format.h"
#include "server/domain/fingerprint.h"
#include "server/domain/flow_rules.h"

namespace potok::server {

namespace {

// Attempts that ended with a machine: because it was lost, or because it was drained.
struct Gone {
  std::uint32_t lost = 0;
  std::uint32_t displaced = 0;
};

Gone CountGone(const OpenControl& open) {
  Gone gone;
  for (const BodyRecord& body : open.bodies()) {
    const std::optional<std::uint32_t> first = FirstFailed(open.run(), body);
    if (!first.has_value()) continue;
    const StepRecord& member = open.run().steps[*first];
    const auto& failed = std::get<Failed>(member.state());
    if (failed.failure.cause != FailureCause::kMachineLost) continue;
    ++(member.displaced > 0 ? gone.displaced : gone.lost);
  }
  return gone;
}

// What rank 0 made is what the step made.
void SucceedGang(OpenControl& open, const BodyRecord& members) {
  std::vector<OutputValue> outputs =
      std::get<Succeeded>(open.run().steps[members.first].state()).outputs;
  if (HasDestinations(open.run().plan->SegmentOf(open.key.index).spec, open.step())) {
    open.turn.decision.effects.emplace_back(ComposeOutputs{open.key, {}, std::move(outputs)});
    return;
  }
  MoveStep(open.turn, open.key, AttemptSucceeded{std::move(outputs)});
}

// When all members begin once more after this failure of one of them; nothing: they do not.
std::optional<absl::Duration> DelayOfNext(const OpenControl& open,
                                          const Failure& failure,
                                          bool was_displaced) {
  if (was_displaced) return absl::ZeroDuration();
  const Gone gone = CountGone(open);
  switch (failure.cause) {
    case FailureCause::kMachineLost:
      if (gone.lost > open.turn.options.machine_lost_max) return std::nullopt;
      return absl::ZeroDuration();
    case FailureCause::kQueueTimeout:
      return std::nullopt;
    default:
      return DelayOfRetry(
          open.step().retry,
          static_cast<std::int32_t>(open.bodies().size() - gone.lost - gone.displaced),
          failure);
  }
}

void BeginGang(OpenControl& open) {
  AddBody(open, std::to_string(open.bodies().size() + 1), OwnValues(open), "");
}

void AfterFailure(OpenControl& open, const BodyRecord& members) {
  const RunRecord& run = open.run();
  const std::optional<std::uint32_t> first = FirstFailed(run, members);
  if (!first.has_value()) return FailControl(open, WhyFailed(open, members));
  Failure failure = std::get<Failed>(run.steps[*first].state()).failure;
  const std::optional<absl::Duration> delay =
      DelayOfNext(open, failure, run.steps[*first].displaced > 0);
  failure.message = fmt::format("'{}': {}", run.plan->NameOf(*first), failure.message);
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
  if (!IsGang(turn.state.runs.at(key.run).plan->definition(key.index))) {
    return MoveStep(turn, key, DelayOver{});
  }
  MoveStep(turn, key, Opened{});
  OpenControl open{turn, key};
  if (open.is_open()) BeginGang(open);
}

}  // namespace potok::server
