// A scheduler's state in tests, its turns and what is read of it.
#include "common/base/check.h"
#include "gmock/gmock.h"
#include "server/domain/expand.h"
#include "tests/server/domain/builders.h"

namespace potok::server {

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

}  // namespace potok::server
