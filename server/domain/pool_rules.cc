// Registering, changing and deleting pools.
#include <utility>

#include "common/pipeline/control.h"
#include "fmt/format.h"
#include "server/domain/pools.h"
#include "server/domain/turn.h"

namespace potok::server {

namespace {

constexpr std::size_t kRunsNamed = 3;

void AnswerPool(Turn& turn, ReplyToken reply, absl::Status status, const std::string& value = "") {
  turn.decision.effects.emplace_back(Answer{reply, std::move(status), value});
}

// Whether steps of the body ask for the pool, themselves or by what is around them.
bool BodyAsksFor(const std::vector<Step>& body,
                 const std::string& around,
                 const std::string& pool) {
  for (const Step& step : body) {
    const std::string& compute = step.compute.empty() ? around : step.compute;
    if (ShapeOf(compute, step).pool == pool) return true;
    if (step.control != nullptr && BodyAsksFor(step.control->body, compute, pool)) return true;
  }
  return false;
}

// Whether a step of the run will ask for the pool: it has not begun, or makes steps that will.
bool WillAskFor(const RunRecord& run, const std::string& pool) {
  if (run.plan == nullptr) return false;
  for (std::uint32_t i = 0; i < run.steps.size(); ++i) {
    const StepState& state = run.steps[i].state();
    if (IsTerminal(state) || PlacementOf(state) != nullptr) continue;
    if (run.plan->shape_of(i).pool == pool) return true;
    const Step& step = run.plan->definition(i);
    // A run that was moved takes its bodies with it.
    if (run.pool.has_value() || step.control == nullptr) continue;
    if (BodyAsksFor(step.control->body, step.compute, pool)) return true;
  }
  return false;
}

// OK if nobody waits for it.
absl::Status CheckUnasked(const State& state, const std::string& pool) {
  std::string runs;
  std::size_t count = 0;
  for (const auto& [id, run] : state.runs) {
    if (!WillAskFor(run, pool)) continue;
    if (++count <= kRunsNamed) runs += fmt::format("{}{}", count == 1 ? "" : ", ", run.name);
  }
  if (count == 0) return absl::OkStatus();
  if (count > kRunsNamed) runs += fmt::format(" and {} more", count - kRunsNamed);
  return absl::FailedPreconditionError(fmt::format(
      "pool '{}' is asked for by steps that have not begun, of {}; it was not deleted. Wait for "
      "them, or cancel them",
      pool,
      runs));
}

}  // namespace

void PutPool(Turn& turn, const PoolPut& put) {
  const auto known = turn.state.pools.find(put.name);
  const bool is_new = known == turn.state.pools.end();
  if (is_new && put.must_exist) {
    const Pools pools(turn.state, turn.options);
    const std::string hint = pools.Knows(put.name)
                                 ? "pool '" + put.name + "' is not registered; create it first"
                                 : NoSuchPool(pools, put.name);
    return AnswerPool(turn, put.reply, absl::NotFoundError(hint));
  }
  PoolChanged changed;
  changed.name = put.name;
  changed.selector = put.selector;
  changed.limits = put.limits;
  changed.document = put.document;
  changed.preemption = put.preemption;
  changed.low_priority = put.low_priority;
  changed.spread = put.spread;
  changed.lease = put.lease;
  changed.images = put.images;
  changed.by = put.by;
  changed.created = is_new ? turn.now : known->second.facts.created;
  changed.at = turn.now;
  Emit(turn, std::move(changed));
  AnswerPool(turn, put.reply, absl::OkStatus(), is_new ? "created" : "changed");
}

void DeletePool(Turn& turn, const PoolDeleted& deleted) {
  const auto known = turn.state.pools.find(deleted.name);
  if (known == turn.state.pools.end()) {
    const Pools pools(turn.state, turn.options);
    const std::string why =
        pools.Knows(deleted.name)
            ? fmt::format("pool '{}' is not registered, so there is nothing to delete",
                          deleted.name)
            : NoSuchPool(pools, deleted.name);
    return AnswerPool(turn, deleted.reply, absl::NotFoundError(why));
  }
  const absl::Status unasked = CheckUnasked(turn.state, deleted.name);
  if (!unasked.ok()) return AnswerPool(turn, deleted.reply, unasked);
  PoolChanged changed = known->second.facts;
  changed.deleted = true;
  changed.at = turn.now;
  Emit(turn, std::move(changed));
  AnswerPool(turn, deleted.reply, absl::OkStatus());
}

}  // namespace potok::server
