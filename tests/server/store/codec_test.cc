#include "server/journal/codec.h"

#include "absl/strings/escaping.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/store/changes.h"

namespace potok::server {
namespace {

// Of every alternative one with every field set.
std::vector<Change> OneOfEach() {
  RunAdded run = ARun(7);
  run.description = "described";
  run.is_pipeline = false;
  std::vector<Change> changes = {ServerStarted{3, "writer", At(17)},
                                 run,
                                 MoveRun(7, RunStatus::kCancelRequested, 20),
                                 AMachine(4)};
  changes.emplace_back(Growth(7, 3, 2));
  changes.emplace_back(TrialMeasured{7, 3, 1, 12, -0.5, At(60)});
  for (const StepState& state : AllStates()) {
    StepMoved moved = Move(7, 2, 5, state, 30);
    moved.machine_lost = 2;
    moved.usage = SomeUsage();
    moved.raise = MemoryRaise{4, 512, 768};
    moved.held = HeldInputs{100, 300, true};
    changes.emplace_back(moved);
  }
  return changes;
}

TEST(CodecTest, DecodesWhatItEncodedOfEveryChangeAndState) {
  const std::string bytes = Encode(OneOfEach());
  const absl::StatusOr<std::vector<Change>> decoded = Decode(bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  ASSERT_EQ(decoded->size(), OneOfEach().size());
  // Equal bytes mean equal fields: nothing that is encoded got lost in between.
  EXPECT_EQ(absl::BytesToHexString(Encode(*decoded)), absl::BytesToHexString(bytes));
}

TEST(CodecTest, KeepsWhatAnAttemptUsedAndWhatTheNextAsksFor) {
  StepMoved moved = Move(7, 2, 5, Queued{}, 30);
  const std::optional<Usage> usage = SomeUsage();
  const std::optional<MemoryRaise> raise = MemoryRaise{4, 512, 768};
  const std::optional<HeldInputs> held = HeldInputs{100, 300, true};
  moved.usage = usage;
  moved.raise = raise;
  moved.held = held;
  const std::vector<Change> decoded = *Decode(Encode({moved}));
  EXPECT_EQ(std::get<StepMoved>(decoded.front()).usage, usage);
  EXPECT_EQ(std::get<StepMoved>(decoded.front()).raise, raise);
  EXPECT_EQ(std::get<StepMoved>(decoded.front()).held, held);
  std::optional<Usage> of_row;
  std::optional<MemoryRaise> raise_of_row;
  std::string runtime;
  std::optional<HeldInputs> held_of_row;
  ASSERT_TRUE(DecodeAttemptFacts(EncodeAttemptFacts(usage, raise, "sandbox", held),
                                 &of_row,
                                 &raise_of_row,
                                 &runtime,
                                 &held_of_row)
                  .ok());
  EXPECT_EQ(runtime, "sandbox");
  EXPECT_EQ(of_row, usage);
  EXPECT_EQ(raise_of_row, raise);
  EXPECT_EQ(held_of_row, held);
  EXPECT_EQ(EncodeAttemptFacts(std::nullopt, std::nullopt, "", std::nullopt), "");
  ASSERT_TRUE(DecodeAttemptFacts("", &of_row, &raise_of_row, &runtime, &held_of_row).ok());
  EXPECT_EQ(of_row, std::nullopt);
  EXPECT_EQ(raise_of_row, std::nullopt);
  EXPECT_EQ(held_of_row, std::nullopt);
  EXPECT_EQ(DecodeAttemptFacts("\xff", &of_row, &raise_of_row, &runtime, &held_of_row).code(),
            absl::StatusCode::kDataLoss);
}

TEST(CodecTest, KeepsEveryFieldOfARun) {
  RunAdded run = ARun(7);
  run.properties = {{"commit", "abc"}};
  run.description = "described";
  run.is_pipeline = false;
  const RunAdded decoded = *DecodeRunAdded(EncodeRunAdded(run));
  EXPECT_EQ(decoded.id, run.id);
  EXPECT_EQ(decoded.name, run.name);
  EXPECT_EQ(decoded.request_id, run.request_id);
  EXPECT_EQ(decoded.spec, run.spec);
  EXPECT_EQ(decoded.steps, run.steps);
  EXPECT_EQ(decoded.display_name, run.display_name);
  EXPECT_EQ(decoded.experiment_name, run.experiment_name);
  EXPECT_EQ(decoded.description, run.description);
  EXPECT_EQ(decoded.submitter, run.submitter);
  EXPECT_EQ(decoded.tags, run.tags);
  EXPECT_EQ(decoded.properties, run.properties);
  EXPECT_EQ(decoded.is_pipeline, run.is_pipeline);
  EXPECT_EQ(decoded.at, run.at);
}

TEST(CodecTest, KeepsEveryFieldOfWhatARunGrowsBy) {
  const std::vector<Change> decoded =
      *Decode(Encode({Growth(7, 3, 2), TrialMeasured{7, 3, 1, 12, -0.5, At(60)}}));
  const auto& added = std::get<StepsAdded>(decoded.at(0));
  EXPECT_EQ(added.run, 7);
  EXPECT_EQ(added.control, 1U);
  EXPECT_EQ(added.ordinal, 4U);
  EXPECT_EQ(added.label, "item-4");
  EXPECT_EQ(added.first, 3U);
  EXPECT_EQ(added.count, 2U);
  EXPECT_EQ(added.values, SomeOutputs());
  EXPECT_EQ(added.metric, "loss");
  EXPECT_EQ(added.at, At(50));
  const auto& measured = std::get<TrialMeasured>(decoded.at(1));
  EXPECT_EQ(measured.run, 7);
  EXPECT_EQ(measured.index, 3U);
  EXPECT_EQ(measured.attempt, 1U);
  EXPECT_EQ(measured.count, 12);
  EXPECT_EQ(measured.value, -0.5);
  EXPECT_EQ(measured.at, At(60));
}

TEST(CodecTest, KeepsHowPeopleOrderedARun) {
  RunAdded run = ARun(7);
  run.after = {{3, "run-3", true}, {4, "run-4", false}};
  const RunOrdered held{7, RunHold{"ada", "why\xff", At(70)}, std::nullopt, std::nullopt, At(71)};
  const RunOrdered moved{7, std::nullopt, -5, "", At(72)};
  const std::vector<Change> decoded = *Decode(Encode({run, held, moved}));
  EXPECT_EQ(std::get<RunAdded>(decoded.at(0)).after, run.after);
  const auto& first = std::get<RunOrdered>(decoded.at(1));
  EXPECT_EQ(first.run, 7);
  EXPECT_EQ(first.hold, held.hold);
  EXPECT_EQ(first.priority, std::nullopt);
  EXPECT_EQ(first.pool, std::nullopt);
  EXPECT_EQ(first.at, At(71));
  const auto& second = std::get<RunOrdered>(decoded.at(2));
  EXPECT_EQ(second.hold, std::nullopt);
  EXPECT_EQ(second.priority, -5);
  EXPECT_EQ(second.pool, "");
}

TEST(CodecTest, KeepsEveryFieldOfATeam) {
  TeamChanged team;
  team.name = "vision";
  team.weight = 0.1;
  team.half_life = absl::Hours(7);
  team.quota = {0, 1, kNoLimit, 3};
  team.user_running_steps = 4;
  team.guaranteed = {5, 0, 7};
  team.pools["p"] = {{kNoLimit, 0, 8000, 9}, {10, 0, 11}};
  team.pools["default"] = {{}, {0, 12, 0}};
  team.users = {"ann", "b\xff"};
  team.removed = true;
  team.at = At(70);
  RunAdded run = ARun(7);
  run.team = "vision";
  const TeamUsed used{"vision", "ann", {1, 2.5, 3, At(71)}, {4, 5, 1.0 / 3, At(72)}};
  const std::vector<Change> decoded = *Decode(Encode({team, run, used}));
  const auto& first = std::get<TeamChanged>(decoded.at(0));
  EXPECT_EQ(first.name, team.name);
  EXPECT_EQ(first.weight, team.weight);
  EXPECT_EQ(first.half_life, team.half_life);
  EXPECT_EQ(first.quota, team.quota);
  EXPECT_EQ(first.user_running_steps, team.user_running_steps);
  EXPECT_EQ(first.guaranteed, team.guaranteed);
  EXPECT_EQ(first.pools, team.pools);
  EXPECT_EQ(first.users, team.users);
  EXPECT_TRUE(first.removed);
  EXPECT_EQ(first.at, team.at);
  EXPECT_EQ(std::get<RunAdded>(decoded.at(1)).team, "vision");
  const auto& third = std::get<TeamUsed>(decoded.at(2));
  EXPECT_EQ(third.team, "vision");
  EXPECT_EQ(third.user, "ann");
  EXPECT_EQ(third.of_team, used.of_team);
  EXPECT_EQ(third.of_user, used.of_user);
}

TEST(CodecTest, KeepsEveryFieldOfAMachine) {
  const MachineChanged machine = AMachine(4);
  const MachineChanged decoded = *DecodeMachineChanged(EncodeMachineChanged(machine));
  EXPECT_EQ(decoded.id, machine.id);
  EXPECT_EQ(decoded.name, machine.name);
  EXPECT_EQ(decoded.state_id, machine.state_id);
  EXPECT_EQ(decoded.boot_id, machine.boot_id);
  EXPECT_EQ(decoded.agent_version, machine.agent_version);
  EXPECT_EQ(decoded.isolation, machine.isolation);
  EXPECT_EQ(decoded.capacity, machine.capacity);
  EXPECT_EQ(decoded.gpus, machine.gpus);
  EXPECT_EQ(decoded.labels, machine.labels);
  EXPECT_EQ(decoded.pools, machine.pools);
  EXPECT_EQ(decoded.liveness, machine.liveness);
  EXPECT_EQ(decoded.first_seen, machine.first_seen);
  EXPECT_EQ(decoded.at, machine.at);
  EXPECT_EQ(decoded.agent_labels, machine.agent_labels);
  EXPECT_EQ(decoded.label_edits, machine.label_edits);
  EXPECT_EQ(decoded.cordon, machine.cordon);
  EXPECT_EQ(decoded.quarantine, machine.quarantine);
  EXPECT_EQ(decoded.runtimes, machine.runtimes);
}

TEST(CodecTest, KeepsWhatRunsAnAttempt) {
  StepMoved moved = Move(7, 1, 2, Running{On(3)}, 9);
  moved.runtime = "sandbox";
  EXPECT_EQ(std::get<StepMoved>(Decode(Encode({moved}))->at(0)).runtime, "sandbox");
}

TEST(CodecTest, LabelsThatNobodyEditedAreTheAgents) {
  MachineChanged machine = AMachine(4);
  machine.label_edits.clear();
  machine.cordon.reset();
  const MachineChanged decoded = *DecodeMachineChanged(EncodeMachineChanged(machine));
  EXPECT_EQ(decoded.agent_labels, machine.labels);
  EXPECT_EQ(decoded.cordon, std::nullopt);
}

TEST(CodecTest, ACordonWithoutADeadlineStaysWithoutOne) {
  MachineChanged machine = AMachine(4);
  machine.cordon = Cordon{CordonState::kDraining, absl::InfiniteFuture(), "", "", At(9)};
  EXPECT_EQ(DecodeMachineChanged(EncodeMachineChanged(machine))->cordon, machine.cordon);
}

TEST(CodecTest, KeepsEveryFieldOfAPool) {
  const PoolChanged pool = APool("zone-b");
  PoolChanged unlimited;
  unlimited.name = "gone";
  unlimited.deleted = true;
  const std::vector<Change> decoded = *Decode(Encode({pool, unlimited}));
  const auto& first = std::get<PoolChanged>(decoded.at(0));
  EXPECT_EQ(first.name, pool.name);
  EXPECT_FALSE(first.deleted);
  EXPECT_EQ(first.selector, pool.selector);
  EXPECT_EQ(first.limits, pool.limits);
  EXPECT_EQ(first.document, pool.document);
  EXPECT_EQ(first.by, pool.by);
  EXPECT_EQ(first.created, pool.created);
  EXPECT_EQ(first.at, pool.at);
  EXPECT_TRUE(first.preemption);
  EXPECT_TRUE(first.low_priority);
  EXPECT_TRUE(first.spread);
  EXPECT_EQ(first.lease, pool.lease);
  EXPECT_EQ(first.images, PoolImages::kContainer);
  const auto& second = std::get<PoolChanged>(decoded.at(1));
  EXPECT_TRUE(second.deleted);
  EXPECT_FALSE(second.preemption || second.low_priority || second.spread);
  EXPECT_EQ(second.limits, PoolLimits{});
  EXPECT_FALSE(second.lease.has_value());
  EXPECT_EQ(second.images, PoolImages::kAsAgents);
}

TEST(CodecTest, KeepsALeaseForEver) {
  PoolChanged pool = APool("p");
  pool.lease = absl::InfiniteDuration();
  pool.images = PoolImages::kHost;
  MachineChanged machine = AMachine(1);
  machine.lease = absl::InfiniteDuration();
  const std::vector<Change> decoded = *Decode(Encode({pool, machine}));
  EXPECT_EQ(std::get<PoolChanged>(decoded.at(0)).lease, absl::InfiniteDuration());
  EXPECT_EQ(std::get<PoolChanged>(decoded.at(0)).images, PoolImages::kHost);
  EXPECT_EQ(std::get<MachineChanged>(decoded.at(1)).lease, absl::InfiniteDuration());
}

TEST(CodecTest, KeepsEveryStateAndNumbersItAsTheFormatDoes) {
  for (const StepState& state : AllStates()) {
    const std::string bytes = EncodeStepState(state);
    EXPECT_EQ(*DecodeStepState(bytes), state);
    // A message's first byte is its field number and wire type (Protobuf encoding guide).
    EXPECT_EQ(static_cast<unsigned char>(bytes.at(0)) >> 3U,
              static_cast<unsigned>(NumberOf(state)));
  }
}

TEST(CodecTest, KeepsWhatAQueuedStepIsPromisedAndWhyItWasPreempted) {
  const StepState state = Queued{On(9), "preempted \xff"};
  EXPECT_EQ(*DecodeStepState(EncodeStepState(state)), state);
}

TEST(CodecTest, KeepsEveryFailureCauseAndStatus) {
  for (int cause = 0; cause <= static_cast<int>(FailureCause::kBody); ++cause) {
    const StepState state = Failed{1, {static_cast<FailureCause>(cause), 0, ""}};
    EXPECT_EQ(*DecodeStepState(EncodeStepState(state)), state);
  }
  for (int status = 0; status <= static_cast<int>(RunStatus::kCanceled); ++status) {
    EXPECT_EQ(*RunStatusOf(NumberOf(static_cast<RunStatus>(status))),
              static_cast<RunStatus>(status));
  }
  for (int liveness = 0; liveness <= static_cast<int>(Liveness::kGone); ++liveness) {
    MachineChanged machine = AMachine(1);
    machine.liveness = static_cast<Liveness>(liveness);
    EXPECT_EQ(DecodeMachineChanged(EncodeMachineChanged(machine))->liveness, machine.liveness);
  }
}

// Written by version 0.1.0. This text is never changed: rows like it lie in databases. A change of
// the format that breaks this test loses runs.
constexpr char kGoldenBatch[] =
    "0a0e0a0c0803120677726974657218110a7712750807120572756e2d371a09726571756573742d3722240a20"
    "b4c05df04575822cec8550e9491c58e1853967c7e24ac0c58ef62a3a7b7defdf10052803320f52756e20ff01"
    "206f662062797465733a036f646442096465736372696265644a03616461520e0a047465616d120676697369"
    "6f6e60ef070a111a0f080710031a076265636175736520140a7a2a78080412056770752d341a057374617465"
    "2204626f6f742a05302e312e3032076367726f7570323a0c0880808080800210807d18024214120441313030"
    "1880808080c00222054750552d3042110801120441313030180122054750552d314a090a047a6f6e65120161"
    "520367707552036269675802600568060a10220e08071002180520022a020a00301e0a10220e080710021805"
    "20022a021200301e0a16221408071002180520022a081a06080112020001301e0a1622140807100218052002"
    "2a082206080212020001301e0a12221008071002180520022a042a020803301e0a2222200807100218052002"
    "2a1432120a06080412020001120861736b656420746f301e0a66226408071002180520022a583a560805123e"
    "0a056d6f64656c12350a240a209372c470eeadd5ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825"
    "e410051001181122096d6f64656c2e62696e12120a0861636375726163791a06302e39330aff301e0a20221e"
    "08071002180520022a12421008061002181122086b696c6c656420ff301e0a18221608071002180520022a0a"
    "4a080a06627920616461301e0a20221e08071002180520022a1252100a0e70726570617265206661696c6564"
    "301e";

// What that version knew of OneOfEach: no growth, the first ten states, and of what a machine has
// memory, CPUs and whole GPUs.
std::vector<Change> OneOfEachOfTheFirstVersion() {
  std::vector<Change> changes = OneOfEach();
  std::erase_if(changes, [](const Change& change) {
    const auto* moved = std::get_if<StepMoved>(&change);
    const auto* done = moved == nullptr ? nullptr : std::get_if<Succeeded>(&moved->state);
    return std::holds_alternative<StepsAdded>(change) ||
           std::holds_alternative<TrialMeasured>(change) ||
           (moved != nullptr && moved->state.index() >= 10) ||
           (done != nullptr && done->reused.has_value());
  });
  for (Change& change : changes) {
    if (auto* machine = std::get_if<MachineChanged>(&change)) {
      machine->capacity.disk_bytes = 0;
      machine->capacity.named.clear();
      machine->cordon.reset();
      machine->agent_labels = machine->labels;
      machine->label_edits.clear();
      machine->quarantine.reset();
      machine->runtimes.clear();
      machine->lease.reset();
    }
    if (auto* moved = std::get_if<StepMoved>(&change)) {
      moved->usage.reset();
      moved->raise.reset();
      moved->displaced = 0;
      moved->runtime.clear();
      moved->held.reset();
    }
  }
  return changes;
}

TEST(CodecTest, DecodesABatchOfTheFirstVersion) {
  const absl::StatusOr<std::vector<Change>> decoded = Decode(absl::HexStringToBytes(kGoldenBatch));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(absl::BytesToHexString(Encode(*decoded)),
            absl::BytesToHexString(Encode(OneOfEachOfTheFirstVersion())));
}

TEST(CodecTest, RefusesDamagedBytes) {
  const std::string bytes = Encode(OneOfEach());
  EXPECT_EQ(Decode(bytes.substr(0, bytes.size() - 1)).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Decode("\xff garbage").status().code(), absl::StatusCode::kDataLoss);
}

TEST(CodecTest, NamesAChangeThatANewerVersionWrote) {
  // Field 1 (a change) of two bytes: field 15, which is none of ours, with the value 1.
  const absl::Status status = Decode(std::string("\x0a\x02\x78\x01", 4)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("change 1 of 1"));
}

TEST(CodecTest, EncodesAnEmptyTurn) {
  EXPECT_TRUE(Decode(Encode({}))->empty());
}

}  // namespace
}  // namespace potok::server
