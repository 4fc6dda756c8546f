// What is stored of a state, as text.
#include "common/base/overloaded.h"
#include "fmt/format.h"
#include "fmt/ranges.h"
#include "tests/server/domain/builders.h"

namespace potok::server {

namespace {

std::string TextOf(const StepState& state) {
  const Placement* placement = PlacementOf(state);
  std::string text = NameOf(state);
  if (placement != nullptr) {
    text += fmt::format("@{}[{}]", placement->machine, fmt::join(placement->gpus, ","));
  }
  if (const Placement* promised = PromisedTo(state)) {
    text += fmt::format(" promised {}[{}]", promised->machine, fmt::join(promised->gpus, ","));
  }
  return text + std::visit(Overloaded{
                               [](const Stopping& s) { return s.reason; },
                               [](const Queued& s) { return s.preempted; },
                               [](const Leaving& s) {
                                 return s.reason + (s.room_for.has_value() ? " for another" : "");
                               },
                               [](const Canceled& s) { return s.reason; },
                               [](const Skipped& s) { return s.reason; },
                               [](const server::Failed& s) { return s.failure.message; },
                               [](const server::Succeeded& s) {
                                 return fmt::format("{} outputs", s.outputs.size());
                               },
                               [](const auto&) { return std::string(); },
                           },
                           state);
}

std::string TextOf(const PastUse& past) {
  return fmt::format(" {} {} {} until {}",
                     past.memory_bytes,
                     past.cpu_millis,
                     past.gpu_millis,
                     absl::ToUnixMicros(past.at));
}

std::string TextOf(const TeamRecord& team) {
  const TeamChanged& facts = team.facts;
  std::string text = fmt::format("team {} weight {} half-life {} users {} most {} {} {} {} {}",
                                 facts.name,
                                 facts.weight,
                                 absl::FormatDuration(facts.half_life),
                                 fmt::join(facts.users, ","),
                                 facts.quota.memory_bytes,
                                 facts.quota.cpu_millis,
                                 facts.quota.gpu_millis,
                                 facts.quota.running_steps,
                                 facts.user_running_steps);
  text += fmt::format(" least {} {} {} used{}\n",
                      facts.guaranteed.memory_bytes,
                      facts.guaranteed.cpu_millis,
                      facts.guaranteed.gpu_millis,
                      TextOf(team.use.past));
  for (const auto& [pool, share] : facts.pools) {
    text += fmt::format(" in {}: {} {} {} {} least {} {} {}\n",
                        pool,
                        share.quota.memory_bytes,
                        share.quota.cpu_millis,
                        share.quota.gpu_millis,
                        share.quota.running_steps,
                        share.guaranteed.memory_bytes,
                        share.guaranteed.cpu_millis,
                        share.guaranteed.gpu_millis);
  }
  for (const auto& [user, use] : team.users) {
    if (use.past != PastUse{}) text += fmt::format(" user {} used{}\n", user, TextOf(use.past));
  }
  return text;
}

std::string TextOf(const MetricHistory& history) {
  std::string text;
  for (std::size_t i = 0; i < history.size(); ++i) text += fmt::format(" {}", history.At(i));
  return text;
}

std::vector<std::string> HeldOf(const MachineRecord& machine) {
  std::vector<std::string> held;
  for (const auto& [index, millis] : machine.gpus_held) {
    held.push_back(fmt::format("{}:{}", index, millis));
  }
  return held;
}

// What people and the server said of a machine.
std::string TextOfRemarks(const MachineChanged& machine) {
  std::string text;
  for (const auto& [name, value] : machine.labels) text += fmt::format(" {}={}", name, value);
  for (const auto& [name, edit] : machine.label_edits) {
    text += fmt::format(" {} set to {} by {}", name, edit.value.value_or("nothing"), edit.by);
  }
  if (machine.cordon.has_value()) {
    text += fmt::format(" cordon {} until {} by {}",
                        static_cast<int>(machine.cordon->state),
                        absl::ToUnixMicros(machine.cordon->deadline),
                        machine.cordon->by);
  }
  if (machine.quarantine.has_value()) {
    text += fmt::format(" quarantine until {}", absl::ToUnixMicros(machine.quarantine->until));
  }
  return text + "\n";
}

}  // namespace

std::string StoredPartOf(const State& state) {
  std::string text = fmt::format("next {} {}\n", state.next_run, state.next_machine);
  for (const auto& [id, run] : state.runs) {
    text += fmt::format("run {} {} {} {} open {} failed {}\n",
                        id,
                        run.name,
                        static_cast<int>(run.status),
                        run.reason,
                        run.open_steps,
                        run.step_failed);
    text += fmt::format(" waits {} held {} priority {} pool {}\n",
                        run.waits_for,
                        run.hold.has_value() ? run.hold->by : "-",
                        run.priority.value_or(0),
                        run.pool.value_or("-"));
    for (const auto& [index, control] : run.controls) {
      if (control.bodies.empty()) continue;  // only its items are kept
      text += fmt::format(" control {} live {}\n", index, control.live);
      for (const BodyRecord& body : control.bodies) {
        text += fmt::format("  body {}+{} open {} {} {} measured{}\n",
                            body.first,
                            body.count,
                            body.open_steps,
                            body.failed,
                            body.canceled,
                            TextOf(body.measured));
      }
    }
    for (std::uint32_t i = 0; run.plan != nullptr && i < run.plan->size(); ++i) {
      text += " " + run.plan->NameOf(i);
    }
    text += fmt::format(" finals {}\n", run.open_finals);
    for (const auto& [index, raise] : run.raises) {
      text += fmt::format(" raise {} by {} from {} to {}\n",
                          index,
                          raise.attempt,
                          raise.from_bytes,
                          raise.to_bytes);
    }
    for (const StepRecord& step : run.steps) {
      text += fmt::format(" {} attempt {} lost {} displaced {} waiting {} since {}\n",
                          TextOf(step.state()),
                          step.attempt,
                          step.machine_lost,
                          step.displaced,
                          step.waiting_for,
                          absl::ToUnixMicros(step.since));
    }
  }
  for (const auto& [name, team] : state.teams) {
    // The default team is there or not, which is the same.
    if (name != kDefaultTeam || team.facts.at != absl::Time()) text += TextOf(team);
  }
  for (const auto& [name, pool] : state.pools) {
    text += fmt::format("pool {} {}{}{} lease {} images '{}' {} by {}: {}\n",
                        name,
                        pool.facts.preemption ? "preempts " : "",
                        pool.facts.low_priority ? "low" : "",
                        pool.facts.spread ? " spread" : "",
                        absl::FormatDuration(pool.facts.lease.value_or(absl::ZeroDuration())),
                        WordOf(pool.facts.images),
                        pool.facts.limits.running_steps.value_or(-1),
                        pool.facts.by,
                        pool.selector.text());
  }
  for (const auto& [id, machine] : state.machines) {
    text += fmt::format("machine {} {} {} {} {} lease {} {} reserved {} gpus {}\n",
                        id,
                        machine.facts.name,
                        machine.facts.state_id,
                        machine.facts.boot_id,
                        static_cast<int>(machine.facts.liveness),
                        absl::FormatDuration(machine.facts.lease.value_or(absl::ZeroDuration())),
                        ToString(machine.facts.capacity),
                        ToString(machine.reserved),
                        fmt::join(HeldOf(machine), ","));
    text += TextOfRemarks(machine.facts);
    for (const AttemptKey& key : machine.holding) text += " " + ToString(key) + "\n";
  }
  for (const QueuePlace& place : state.queued.All()) {
    text += fmt::format("queued {} {} {}\n", place.priority, place.step.run, place.step.index);
  }
  for (const StepKey& key : state.open) text += fmt::format("open {} {}\n", key.run, key.index);
  for (const auto& [until, key] : state.delayed) {
    text += fmt::format("delayed {} {} {}\n", key.run, key.index, absl::ToUnixMicros(until));
  }
  return text;
}

}  // namespace potok::server
