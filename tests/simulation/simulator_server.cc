#include <algorithm>
#include <cmath>
#include <utility>

#include "common/base/overloaded.h"
#include "fmt/format.h"
#include "server/domain/explain_team.h"
#include "server/domain/picker.h"
#include "server/domain/resume.h"
#include "tests/server/domain/builders.h"
#include "tests/simulation/simulator.h"
#include "tests/simulation/trace.h"

namespace potok::server {

namespace {

// True if a step of the run waits that needs more machines at once than the run may have now: then
// nothing else of it goes (Picker::MayTake).
bool WaitsForSeveral(const State& state, const RunRecord& run) {
  if (LimitOf(run) == 0) return false;
  for (const QueuePlace& place : state.queued.All()) {
    if (place.step.run != run.id) continue;
    const auto machines = static_cast<std::uint32_t>(run.plan->wanted[place.shape].machines);
    if (run.placed + machines > LimitOf(run)) return true;
  }
  return false;
}

}  // namespace

void Simulator::StartServer() {
  Trace("server starts");
  server_up_ = true;
  ++outcome_.server_starts;
  state_ = store_.Load();
  revision_ = store_.revision();
  Decision decision = DecideStart(state_, {store_.epoch() + 1, "simulated", now_}, options_);
  if (broken_ == Break::kNoRestartGrace) HearEverybody(state_, now_ - absl::Hours(1));
  pending_ = Pending{++revision_, std::move(decision)};
  TryCommit();
}

void Simulator::TakeTurn() {
  if (inbox_.empty()) return;
  ++outcome_.turns;
  const std::vector<Event> events = Tampered(std::exchange(inbox_, {}));
  for (const Event& event : events) {
    Trace(TextOf(event));
    if (const auto* declared = std::get_if<MachineDeclaredDead>(&event)) Excuse(declared->machine);
  }
  DecideOptions options = options_;
  if (broken_ == Break::kRequeueBeforeLeaseEnd) {
    options.lease = options.silent_after;
    options.lease_grace = absl::ZeroDuration();
  }
  std::map<StepKey, absl::Time> since;
  for (const QueuePlace& place : state_.queued.All()) since[place.step] = place.since;
  const std::map<std::string, TeamRecord> teams = state_.teams;
  const std::set<StepKey> promised = state_.promised;
  Decision decision = DecideTurn(state_, events, now_, options);
  for (const std::string& error : decision.internal_errors) Violation("internal error: " + error);
  CheckRanks(decision, since, promised);
  CheckPreemptions(decision);
  CheckQuotas(teams);
  CheckPoolQuotas(decision, teams);
  const bool ticked = std::ranges::any_of(
      events, [](const Event& event) { return std::holds_alternative<Tick>(event); });
  CheckCordons(decision, ticked);
  CheckPoolLimits(decision);
  for (SendOrder& order : std::exchange(again_, {}))
    decision.effects.emplace_back(std::move(order));
  if (decision.changes.empty()) return Release(decision.effects);
  if (broken_ == Break::kSpeakBeforeCommit) Release(std::exchange(decision.effects, {}));
  if (broken_ == Break::kAckBeforeCommit) {
    for (const Effect& effect : decision.effects) {
      if (std::holds_alternative<SendAck>(effect)) Say(effect);
    }
  }
  pending_ = Pending{++revision_, std::move(decision)};
  TryCommit();
}

// No step was placed before one that asks for the same, has a higher priority and ranks before it
// (docs/decisions/0033-who-goes-first.md). `since` is when those were queued that were before the
// turn. What was promised its room has it before all others.
void Simulator::CheckRanks(const Decision& decision,
                           const std::map<StepKey, absl::Time>& since,
                           const std::set<StepKey>& promised) {
  for (const Change& change : decision.changes) {
    const auto* moved = std::get_if<StepMoved>(&change);
    if (moved == nullptr || !std::holds_alternative<Assigned>(moved->state)) continue;
    if (promised.contains(moved->step)) continue;
    const auto run = state_.runs.find(moved->step.run);
    if (run == state_.runs.end()) continue;
    const Shape& shape = run->second.plan->shape_of(moved->step.index);
    const auto queued = since.find(moved->step);
    const absl::Time placed_since = queued == since.end() ? now_ : queued->second;
    const std::int32_t priority = PriorityOf(run->second, moved->step.index);
    for (const QueuePlace& place : state_.queued.All()) {
      if (place.priority <= priority) break;
      // One whose memory was raised asks for what no other does.
      if (place.shape >= kRaisedLanes) continue;
      const RunRecord& other = state_.runs.at(place.step.run);
      if (ParkedOf(other) != Parked::kNot || other.plan->wanted[place.shape] != shape) continue;
      if (RanksBefore(priority, placed_since, place.priority, place.since)) continue;
      // Its run waits for what needs several machines at once, or its team or user may have no
      // more.
      if (WaitsForSeveral(state_, other)) continue;
      if (!ExplainQuota(state_, other, place.step.index).empty()) continue;
      Violation(fmt::format("step {} of run {} was placed before {} of run {}, of priority {}",
                            moved->step.index,
                            moved->step.run,
                            place.step.index,
                            place.step.run,
                            place.priority));
    }
  }
}

// Who ends for another is preemptible, in a pool that allows it, and of another team; and that
// other is promised its room. Taking back comes last in a turn.
void Simulator::CheckPreemptions(const Decision& decision) {
  for (const Change& change : decision.changes) {
    const auto* moved = std::get_if<StepMoved>(&change);
    const auto* leaving = moved == nullptr ? nullptr : std::get_if<Leaving>(&moved->state);
    if (leaving == nullptr || !leaving->room_for.has_value()) continue;
    ++outcome_.preemptions;
    const RunRecord& run = state_.runs.at(moved->step.run);
    const auto pool = state_.pools.find(run.plan->shape_of(moved->step.index).pool);
    const bool is_fair = pool != state_.pools.end() && pool->second.facts.preemption &&
                         run.plan->definition(moved->step.index)
                             .preemptible.value_or(pool->second.facts.low_priority) &&
                         state_.promised.contains(*leaving->room_for) &&
                         state_.runs.at(leaving->room_for->run).team != run.team;
    if (is_fair) continue;
    Violation(fmt::format(
        "step {} of run {} was preempted against the rules", moved->step.index, moved->step.run));
  }
}

// Of what people moved to another pool what it holds there may be more than it may have.
void Simulator::CheckPoolQuotas(const Decision& decision,
                                const std::map<std::string, TeamRecord>& before) {
  const bool moved = std::ranges::any_of(decision.changes, [](const Change& change) {
    return std::holds_alternative<RunOrdered>(change);
  });
  if (moved) return;
  for (const auto& [name, team] : state_.teams) {
    const auto found = before.find(name);
    for (const auto& [pool, share] : team.facts.pools) {
      const Held is = HeldIn(team, pool);
      const Held was = found == before.end() ? Held{} : HeldIn(found->second, pool);
      const auto check = [&](std::int64_t limit, std::int64_t had, std::int64_t has) {
        if (limit == kNoLimit || has <= limit || has <= had) return;
        Violation(fmt::format(
            "team {} came from {} to {} in pool {}, and may have {}", name, had, has, pool, limit));
      };
      check(share.quota.cpu_millis, was.amounts.cpu_millis, is.amounts.cpu_millis);
      check(share.quota.gpu_millis, was.amounts.gpu_millis, is.amounts.gpu_millis);
      check(share.quota.memory_bytes, was.amounts.memory_bytes, is.amounts.memory_bytes);
      check(share.quota.running_steps, was.steps, is.steps);
    }
  }
}

// Nobody has more than its quota, but what it had before that was lowered.
void Simulator::CheckQuotas(const std::map<std::string, TeamRecord>& before) {
  const auto check = [&](const std::string& who, std::int64_t limit, std::int64_t was, auto is) {
    if (limit == kNoLimit || is <= limit || is <= was) return;
    Violation(fmt::format("{} came from {} to {}, and may have {}", who, was, is, limit));
  };
  for (const auto& [name, team] : state_.teams) {
    const auto found = before.find(name);
    const TeamRecord was = found == before.end() ? TeamRecord{} : found->second;
    const Quota& quota = team.facts.quota;
    const Amounts& held = team.use.held;
    check("CPUs of " + name, quota.cpu_millis, was.use.held.cpu_millis, held.cpu_millis);
    check("GPUs of " + name, quota.gpu_millis, was.use.held.gpu_millis, held.gpu_millis);
    check("memory of " + name, quota.memory_bytes, was.use.held.memory_bytes, held.memory_bytes);
    check("steps of " + name, quota.running_steps, was.use.steps, team.use.steps);
    for (const auto& [user, use] : team.users) {
      const auto known = was.users.find(user);
      const std::uint32_t steps = known == was.users.end() ? 0 : known->second.steps;
      check("steps of " + user, team.facts.user_running_steps, steps, use.steps);
    }
  }
}

// Nothing new is on a machine that a person or the server keeps new steps off, and what is overdue
// on one that is drained leaves it.
void Simulator::CheckCordons(const Decision& decision, bool ticked) {
  for (const Change& change : decision.changes) {
    const auto* moved = std::get_if<StepMoved>(&change);
    const auto* assigned = moved == nullptr ? nullptr : std::get_if<Assigned>(&moved->state);
    if (assigned == nullptr) continue;
    const MachineChanged& machine = state_.machines.at(assigned->placement.machine).facts;
    if (!IsCordoned(machine) && !machine.quarantine.has_value()) continue;
    Violation(fmt::format("step {} of run {} was placed on {}, which takes none",
                          moved->step.index,
                          moved->step.run,
                          machine.name));
  }
  for (const auto& [id, machine] : state_.machines) {
    const std::optional<Cordon>& cordon = machine.facts.cordon;
    if (!ticked || !cordon.has_value() || cordon->state != CordonState::kDraining) continue;
    if (cordon->deadline > now_) continue;
    for (const AttemptKey& key : machine.holding) {
      const StepState& state = state_.runs.at(key.run).steps[key.index].state();
      if (std::holds_alternative<Leaving>(state) || std::holds_alternative<Stopping>(state)) {
        continue;
      }
      Violation(
          fmt::format("{} stays on {} after its deadline", ToString(key), machine.facts.name));
    }
  }
}

// Where something was placed, its pool is not beyond its limits: placing comes last in a turn.
void Simulator::CheckPoolLimits(const Decision& decision) {
  for (const Change& change : decision.changes) {
    const auto* moved = std::get_if<StepMoved>(&change);
    if (moved == nullptr || !std::holds_alternative<Assigned>(moved->state)) continue;
    const auto run = state_.runs.find(moved->step.run);
    if (run == state_.runs.end()) continue;
    const Shape& shape = run->second.plan->shape_of(moved->step.index);
    const auto pool = state_.pools.find(shape.pool);
    if (pool == state_.pools.end()) continue;
    const PoolLimits& limits = pool->second.facts.limits;
    const PoolUse& use = state_.pool_use.at(pool->first);
    const bool too_many = use.steps > limits.running_steps.value_or(use.steps);
    // A lower limit stops nothing, and does not keep off who asks for none of it.
    const bool too_much =
        shape.request.gpu_millis > 0 &&
        use.resources.gpu_millis > limits.gpu_millis.value_or(use.resources.gpu_millis);
    if (!too_many && !too_much) continue;
    Violation(fmt::format("step {} of run {} was placed beyond the limits of its pool",
                          moved->step.index,
                          moved->step.run));
  }
}

// Whoever declares a machine dead that lives has to bear what it still runs.
void Simulator::Excuse(const std::string& machine) {
  const auto it = state_.machine_by_name.find(machine);
  if (it == state_.machine_by_name.end()) return;
  for (const AttemptKey& key : state_.machines.at(it->second).holding) ledger_.Excuse(key.step());
}

void Simulator::TryCommit() {
  const absl::Status status =
      store_.Commit(pending_->revision, pending_->decision.changes, commit_faults_);
  Trace(fmt::format("commit {} {}", pending_->revision, status.ToString()));
  if (!status.ok()) return;
  const std::vector<Effect> effects = std::move(pending_->decision.effects);
  pending_.reset();
  CheckBooks();
  Release(effects);
}

void Simulator::CheckBooks() {
  for (const std::string& problem : CheckInvariants(state_)) Violation(problem);
  const std::string memory = StoredPartOf(state_);
  const std::string fresh = StoredPartOf(store_.Load());
  if (memory != fresh) Violation("memory differs from the store:\n" + memory + "---\n" + fresh);
}

void Simulator::Release(const std::vector<Effect>& effects) {
  for (const Effect& effect : effects) Say(effect);
}

void Simulator::Say(const Effect& effect) {
  Trace("  " + TextOf(effect));
  std::visit(
      Overloaded{
          [&](const SendWelcome& e) {
            Machine* machine = FindMachine(e.session);
            if (machine == nullptr) return;
            SendWelcome welcome = e;
            if (broken_ == Break::kRequeueBeforeLeaseEnd) welcome.lease = options_.lease;
            machine->link.down.emplace_back(welcome);
          },
          [&](const SendOrder& e) {
            Machine* machine = FindMachine(e.session);
            if (machine == nullptr) return;
            CheckOrder(*machine, e);
            std::visit([&](const auto& order) { machine->link.down.emplace_back(order); }, e.order);
          },
          [&](const SendAck& e) {
            Machine* machine = FindMachine(e.session);
            if (machine == nullptr) return;
            const StepMoved* row = store_.FindStep(e.key.step());
            const bool open = row != nullptr && row->attempt == e.key.attempt &&
                              PlacementOf(row->state) != nullptr;
            if (open) Violation("acknowledged, but not stored: " + ToString(e.key));
            machine->link.down.emplace_back(e);
          },
          [&](const AckHeartbeat& e) {
            Machine* machine = FindMachine(e.session);
            if (machine == nullptr) return;
            const absl::Time sent = absl::FromUnixMicros(static_cast<std::int64_t>(e.sequence));
            machine->link.down.emplace_back(HeartbeatAck{sent});
          },
          [&](const CloseSession& e) {
            Machine* machine = FindMachine(e.session);
            if (machine != nullptr) machine->agent.Disconnect();
          },
          [&](const ComposeOutputs& e) {
            OutputsComposed composed{e.step, absl::OkStatus(), e.known};
            for (const ComposeOutputs::Output& output : e.files) {
              composed.outputs.push_back({output.name, output.entries.front().second});
            }
            inbox_.emplace_back(std::move(composed));
          },
          [&](const Answer& e) {
            if (e.reply >= clients_.size()) return;
            Client& client = clients_[e.reply];
            client.answered = e.status.ok();
            if (!store_.HasRun(client.run)) Violation("answered, but not stored");
          },
          [&](const FindResult& e) {
            std::optional<Result> result = store_.FindResult(e.fingerprint);
            // Its files may be gone.
            const bool gone = random_.Chance(200);
            Hear(ResultLookedUp{e.step,
                                gone ? std::nullopt : std::move(result),
                                gone ? ResultLack::kBytesGone : ResultLack::kNone});
          },
      },
      effect);
}

void Simulator::CheckOrder(const Machine& machine, const SendOrder& order) {
  const auto* start = std::get_if<StartOrder>(&order.order);
  if (start == nullptr) return;
  const StepMoved* row = store_.FindStep(start->key.step());
  const Placement* placement = row == nullptr ? nullptr : PlacementOf(row->state);
  const bool waits = row != nullptr && (std::holds_alternative<Assigned>(row->state) ||
                                        std::holds_alternative<Stopping>(row->state) ||
                                        std::holds_alternative<Leaving>(row->state));
  if (!waits || row->attempt != start->key.attempt) {
    Violation(fmt::format("ordered {} on {}, which the store does not say",
                          ToString(start->key),
                          machine.agent.name()));
  } else if (state_.machines.at(placement->machine).facts.name != machine.agent.name()) {
    Violation(fmt::format("ordered {} on the wrong machine", ToString(start->key)));
  }
}

void Simulator::Hear(const Event& event) {
  inbox_.push_back(event);
  const auto* reported = std::get_if<MachineReported>(&event);
  if (reported == nullptr) return;
  if (faults_on_ && random_.Chance(50)) inbox_.push_back(event);
  for (const Report& report : reported->reports) Measure(report);
}

// Some attempts log a metric, as soon as they run or with their end: of a sweep's trial it counts.
void Simulator::Measure(const Report& report) {
  const bool starts = std::holds_alternative<AttemptStarted>(report.event);
  const bool succeeds = std::holds_alternative<AttemptSucceeded>(report.event);
  if (!(starts && random_.Chance(600)) && !(succeeds && random_.Chance(600))) return;
  const double value = random_.Chance(50) ? std::nan("") : random_.Below(100);
  inbox_.emplace_back(MetricReported{report.key, succeeds ? 2 : 1, value});
}

// The rules broken inside the server, from outside: as if it did not see what it sees.
std::vector<Event> Simulator::Tampered(std::vector<Event> events) {
  std::vector<Event> result;
  for (Event& event : events) {
    if (auto* hello = std::get_if<MachineHello>(&event)) {
      if (broken_ == Break::kOrderAgainWhatEnded) HideWhatEnded(*hello);
    }
    if (auto* reported = std::get_if<MachineReported>(&event)) {
      if (broken_ == Break::kNoAttemptCheck) Forge(*reported);
    }
    result.push_back(std::move(event));
  }
  return result;
}

void Simulator::HideWhatEnded(MachineHello& hello) {
  const auto it = state_.machine_by_name.find(hello.machine.name);
  if (it == state_.machine_by_name.end()) return;
  const Resumption found = Resume(state_, state_.machines.at(it->second), hello);
  for (const AttemptKey& key : found.ended) {
    hello.live.push_back(key);
    again_.push_back({hello.session, StartOrder{key, "", nullptr, "", {}, {}}});
  }
}

// Takes the report for one of the attempt that is there now.
void Simulator::Forge(MachineReported& reported) const {
  Report& report = reported.reports.front();
  const auto run = state_.runs.find(report.key.run);
  if (run == state_.runs.end()) return;
  const StepRecord& step = run->second.steps[report.key.index];
  const Placement* placement = PlacementOf(step.state());
  if (placement == nullptr || step.attempt == report.key.attempt) return;
  const MachineRecord& holder = state_.machines.at(placement->machine);
  report.key.attempt = step.attempt;
  reported.machine = holder.facts.name;
  reported.session = holder.session;
}

}  // namespace potok::server
