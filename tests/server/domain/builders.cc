#include "tests/server/domain/builders.h"

#include "common/base/check.h"
#include "common/base/overloaded.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "server/domain/expand.h"

namespace potok::server {

AStep& AStep::Command(const std::string& command) {
  step_.command = command;
  return *this;
}
AStep& AStep::After(const std::string& upstream) {
  step_.depends_on.push_back(upstream);
  return *this;
}
AStep& AStep::Text(const std::string& input, const std::string& value, ValueType type) {
  Input added;
  added.name = input;
  added.type = type;
  added.value = TextValue{value};
  step_.inputs.push_back(added);
  return *this;
}
AStep& AStep::Data(const std::string& input, const std::string& value) {
  return Text(input, value, ValueType::kUriFolder);
}
AStep& AStep::OptionalData(const std::string& input, const std::string& value) {
  Data(input, value);
  step_.inputs.back().optional = true;
  return *this;
}
AStep& AStep::Output(const std::string& name, ValueType type) {
  potok::Output output;
  output.name = name;
  output.type = type;
  step_.outputs.push_back(output);
  return *this;
}
AStep& AStep::Memory(std::int64_t bytes) {
  step_.resources.memory_bytes = bytes;
  return *this;
}
AStep& AStep::Cpus(std::int32_t millis) {
  step_.resources.cpu_millis = millis;
  return *this;
}
AStep& AStep::Gpus(std::int32_t count) {
  step_.resources.gpu_millis = count * 1000;
  return *this;
}
AStep& AStep::Pool(const std::string& pool) {
  step_.compute = pool;
  return *this;
}
AStep& AStep::GpuShare(std::int32_t millis) {
  step_.resources.gpu_millis = millis;
  return *this;
}
AStep& AStep::GpuModel(const std::string& model) {
  step_.gpu_models.push_back(model);
  return *this;
}
AStep& AStep::GpuMemory(std::int64_t bytes) {
  step_.gpu_memory_bytes = bytes;
  return *this;
}
AStep& AStep::Disk(std::int64_t bytes) {
  step_.resources.disk_bytes = bytes;
  return *this;
}
AStep& AStep::Named(const std::string& name, std::int64_t count) {
  step_.resources.named[name] = count;
  return *this;
}
AStep& AStep::Where(const std::string& label_expression) {
  step_.label_expression = label_expression;
  return *this;
}
AStep& AStep::Priority(std::int32_t priority) {
  step_.priority = priority;
  return *this;
}
AStep& AStep::Preemptible(bool preemptible) {
  step_.preemptible = preemptible;
  return *this;
}
AStep& AStep::Unset(const std::string& input, ValueType type) {
  Text(input, "", type);
  step_.inputs.back().value = std::monostate();
  return *this;
}
AStep& AStep::Label(const std::string& name, const std::string& value) {
  step_.labels[name] = value;
  return *this;
}

PipelineSpec APipeline(std::vector<Step> steps) {
  PipelineSpec spec;
  spec.name = "test";
  spec.steps = std::move(steps);
  return spec;
}
PipelineSpec AFailFastPipeline(std::vector<Step> steps) {
  PipelineSpec spec = APipeline(std::move(steps));
  spec.settings.continue_on_step_failure = false;
  return spec;
}
std::shared_ptr<const Plan> APlan(std::vector<Step> steps) {
  auto plan = BuildPlan(APipeline(std::move(steps)));
  EXPECT_TRUE(plan.ok()) << plan.status();
  POTOK_CHECK(plan.ok());
  return *plan;
}
std::string OutputOf(const std::string& step, const std::string& name) {
  return "${{parent.jobs." + step + ".outputs." + name + "}}";
}

AMachine::AMachine(const std::string& name) {
  facts_.name = name;
  facts_.state_id = "state of " + name;
  facts_.boot_id = "boot 1";
  facts_.capacity = {16 * kGiB, 4000, 0};
}
AMachine& AMachine::Memory(std::int64_t bytes) {
  facts_.capacity.memory_bytes = bytes;
  return *this;
}
AMachine& AMachine::Cpus(std::int32_t count) {
  facts_.capacity.cpu_millis = count * 1000;
  return *this;
}
AMachine& AMachine::Gpus(std::int32_t count) {
  for (std::int32_t i = 0; i < count; ++i) Gpu("A100", 80 * kGiB);
  return *this;
}
AMachine& AMachine::Gpu(const std::string& model, std::int64_t memory_bytes) {
  const auto index = static_cast<std::int32_t>(facts_.gpus.size());
  facts_.gpus.push_back({index, model, memory_bytes, ""});
  facts_.capacity.gpu_millis = (index + 1) * 1000;
  return *this;
}
AMachine& AMachine::Disk(std::int64_t bytes) {
  facts_.capacity.disk_bytes = bytes;
  return *this;
}
AMachine& AMachine::Named(const std::string& name, std::int64_t count) {
  facts_.capacity.named[name] = count;
  return *this;
}
AMachine& AMachine::Pool(const std::string& pool) {
  facts_.pools.push_back(pool);
  return *this;
}
AMachine& AMachine::Label(const std::string& name, const std::string& value) {
  facts_.labels[name] = value;
  return *this;
}
AMachine& AMachine::Boot(const std::string& boot_id) {
  facts_.boot_id = boot_id;
  return *this;
}
AMachine& AMachine::StateId(const std::string& state_id) {
  facts_.state_id = state_id;
  return *this;
}

const Decision& World::Turn(const std::vector<Event>& events) {
  return Record(DecideTurn(state, events, now, options));
}
const Decision& World::Record(Decision decision) {
  last = std::move(decision);
  for (const Change& change : last.changes) {
    journal.push_back(change);
    if (const auto* added = std::get_if<RunAdded>(&change)) {
      runs_[added->name] = *added;
      plans_[added->id] = added->plan;
    }
    Change stored = change;
    if (auto* added = std::get_if<StepsAdded>(&stored)) {
      Grow(std::exchange(added->segment, nullptr), &plans_[added->run]);
    }
    Apply(replayed_, stored);
  }
  EXPECT_THAT(CheckInvariants(state), testing::IsEmpty());
  EXPECT_EQ(StoredPartOf(state), StoredPartOf(replayed_));
  return last;
}
const Decision& World::Wait(absl::Duration duration) {
  now += duration;
  return Turn({Tick{}});
}
const Decision& World::Submit(const std::string& run, const PipelineSpec& spec) {
  auto plan = RebuildPlan(spec);
  EXPECT_TRUE(plan.ok()) << plan.status();
  POTOK_CHECK(plan.ok());
  return Turn({RunSubmitted{next_reply_++, run, "request " + run, {}, *plan, "someone"}});
}
const Decision& World::SubmitAfter(const std::string& run,
                                   const PipelineSpec& spec,
                                   const std::vector<RunSubmitted::Predecessor>& after) {
  auto plan = RebuildPlan(spec);
  POTOK_CHECK(plan.ok());
  RunSubmitted submitted{next_reply_++, run, "request " + run, {}, *plan, "someone"};
  submitted.after = after;
  return Turn({submitted});
}
const Decision& World::SubmitAs(const std::string& user,
                                const std::string& run,
                                const PipelineSpec& spec) {
  auto plan = RebuildPlan(spec);
  POTOK_CHECK(plan.ok());
  return Turn({RunSubmitted{next_reply_++, run, "request " + run, {}, *plan, user}});
}
absl::Status World::Edit(const std::string& team, const TeamEdit& edit, TeamEdited::Kind kind) {
  Turn({TeamEdited{next_reply_++, kind, team, edit}});
  return Said<Answer>().at(0).status;
}
RunId World::IdOf(const std::string& run) const {
  return runs_.at(run).id;
}
const Decision& World::Cancel(const std::string& run) {
  return Turn({CancelRequested{next_reply_++, run, "no longer needed"}});
}
const Decision& World::Connect(const MachineChanged& machine,
                               const std::vector<AttemptKey>& live,
                               const std::vector<server::Report>& unacknowledged) {
  return Turn({MachineHello{next_session_++, machine, live, unacknowledged}});
}
const Decision& World::Report(const std::string& machine,
                              const std::vector<server::Report>& reports) {
  return Turn({MachineReported{Machine(machine).session, machine, reports}});
}
const Decision& World::Heartbeat(const std::string& machine) {
  return Turn({MachineHeard{Machine(machine).session, machine}});
}
const Decision& World::Disconnect(const std::string& machine) {
  return Turn({MachineDisconnected{Machine(machine).session, machine}});
}

const Decision& World::Restart() {
  state = replayed_;
  return Record(DecideStart(state, {++epoch_, "writer", now}, options));
}

StepKey World::KeyOf(const std::string& run, const std::string& step) const {
  const RunId id = runs_.at(run).id;
  const std::optional<std::uint32_t> index = plans_.at(id)->Find(step);
  EXPECT_TRUE(index.has_value()) << "no step " << step;
  return {id, index.value()};
}
bool World::Has(const std::string& run, const std::string& step) const {
  return plans_.at(runs_.at(run).id)->Find(step).has_value();
}
AttemptKey World::Attempt(const std::string& run, const std::string& step) const {
  const StepKey key = KeyOf(run, step);
  return {key.run, key.index, state.runs.at(key.run).steps[key.index].attempt};
}
const StepRecord& World::StepOf(const std::string& run, const std::string& step) const {
  const StepKey key = KeyOf(run, step);
  return state.runs.at(key.run).steps[key.index];
}
std::string World::StateOf(const std::string& run, const std::string& step) const {
  return NameOf(LastOf(run, step));
}
StepState World::LastOf(const std::string& run, const std::string& step) const {
  const StepKey key = KeyOf(run, step);
  StepState found;
  if (plans_.at(key.run)->IsRoot(key.index) && runs_.at(run).after.empty()) found = Queued{};
  for (const Change& change : journal) {
    const auto* moved = std::get_if<StepMoved>(&change);
    if (moved == nullptr || moved->step != key) continue;
    found = moved->state;
  }
  return found;
}
const MachineRecord& World::Machine(const std::string& name) const {
  return state.machines.at(state.machine_by_name.at(name));
}
RunMoved World::LastMove(const std::string& run) const {
  RunMoved found;
  for (const Change& change : journal) {
    const auto* moved = std::get_if<RunMoved>(&change);
    if (moved != nullptr && moved->id == runs_.at(run).id) found = *moved;
  }
  return found;
}

std::vector<StartOrder> World::Starts() const {
  std::vector<StartOrder> orders;
  for (const SendOrder& sent : Said<SendOrder>()) {
    if (const auto* order = std::get_if<StartOrder>(&sent.order)) orders.push_back(*order);
  }
  return orders;
}
std::vector<StopOrder> World::Stops() const {
  std::vector<StopOrder> orders;
  for (const SendOrder& sent : Said<SendOrder>()) {
    if (const auto* order = std::get_if<StopOrder>(&sent.order)) orders.push_back(*order);
  }
  return orders;
}
std::vector<AttemptKey> World::Acks() const {
  std::vector<AttemptKey> keys;
  for (const SendAck& ack : Said<SendAck>()) keys.push_back(ack.key);
  return keys;
}

Report Starts(const AttemptKey& key) {
  return {key, AttemptStarted{}};
}
Report Exits(const AttemptKey& key) {
  return {key, AttemptExited{}};
}
Report Succeeds(const AttemptKey& key, std::vector<OutputValue> outputs) {
  return {key, AttemptSucceeded{std::move(outputs)}};
}
Report Fails(const AttemptKey& key, FailureCause cause) {
  return {key, AttemptFailed{{cause, 1, "it broke"}}};
}
Report Stops(const AttemptKey& key) {
  return {key, AttemptStopped{}};
}
OutputValue Files(const std::string& name) {
  return {name, Artifact{DigestOf("files of " + name), true, 5, ""}};
}
OutputValue Word(const std::string& name, const std::string& text) {
  return {name, text};
}

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
      text += " " + run.plan->step(i).name;
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
                          TextOf(step.state),
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
    text += fmt::format("pool {} {}{} {} by {}: {}\n",
                        name,
                        pool.facts.preemption ? "preempts " : "",
                        pool.facts.low_priority ? "low" : "",
                        pool.facts.limits.running_steps.value_or(-1),
                        pool.facts.by,
                        pool.selector.text());
  }
  for (const auto& [id, machine] : state.machines) {
    text += fmt::format("machine {} {} {} {} {} {} reserved {} gpus {}\n",
                        id,
                        machine.facts.name,
                        machine.facts.state_id,
                        machine.facts.boot_id,
                        static_cast<int>(machine.facts.liveness),
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
