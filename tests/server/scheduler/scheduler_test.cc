// The loop over a database in memory: what is said, and when. No sleeps and, but for the last, no
// threads: RunOnce drives every turn.
#include "server/scheduler/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include <future>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "tests/server/domain/builders.h"
#include "tests/support/fake_store.h"

namespace potok::server {
namespace {

class FakeClock final : public Clock {
 public:
  absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  absl::Time Now() const override { return now; }
};

// Writes down what is said, with the journal's head at that moment.
class Recorder final : public Outbound {
 public:
  explicit Recorder(FakeDatabase& database) : database_(database) {}
  void Say(std::vector<Effect> effects) override {
    for (Effect& effect : effects) said.emplace_back(database_.head(), std::move(effect));
  }
  void Committed(const Batch& batch) override { committed.push_back(batch.revision); }

  template <class Kind>
  std::vector<Kind> All() const {
    std::vector<Kind> all;
    for (const auto& [head, effect] : said) {
      if (const auto* kind = std::get_if<Kind>(&effect)) all.push_back(*kind);
    }
    return all;
  }

  std::vector<std::pair<std::int64_t, Effect>> said;
  std::vector<std::int64_t> committed;

 private:
  FakeDatabase& database_;
};

class SchedulerTest : public ::testing::Test {
 protected:
  SchedulerTest() { Restart(); }

  void Restart() {
    scheduler_.reset();
    recorder_ = std::make_unique<Recorder>(database_);
    bundle_ = database_.Open();
    registry_ = std::make_unique<prometheus::Registry>();
    metrics_ = std::make_unique<SchedulerMetrics>(*registry_);
    scheduler_ = std::make_unique<Scheduler>(
        *bundle_.store, *bundle_.projector, *recorder_, clock_, *metrics_, options_);
    const absl::Status started =
        scheduler_->Start([this](const Digest& digest) { return plans_.at(digest); });
    ASSERT_TRUE(started.ok()) << started;
  }

  absl::Status Turn() { return scheduler_->RunOnce(absl::ZeroDuration()); }

  void Submit(const std::string& name, const std::string& request, std::vector<Step> steps) {
    const auto plan = APlan(std::move(steps));
    const Digest digest = DigestOf(name + request);
    plans_[digest] = plan;
    ASSERT_TRUE(scheduler_->Post(RunSubmitted{next_reply_++, name, request, digest, plan, "ada"}));
  }

  void Hello(const std::string& machine) {
    MachineHello hello;
    hello.session = next_session_++;
    hello.machine = AMachine(machine).Cpus(4).Memory(8 * kGiB);
    ASSERT_TRUE(scheduler_->Post(std::move(hello)));
  }

  SchedulerOptions options_;
  FakeDatabase database_;
  FakeClock clock_;
  std::map<Digest, std::shared_ptr<const Plan>> plans_;
  StoreBundle bundle_;
  std::unique_ptr<Recorder> recorder_;
  std::unique_ptr<prometheus::Registry> registry_;
  std::unique_ptr<SchedulerMetrics> metrics_;
  std::unique_ptr<Scheduler> scheduler_;
  ReplyToken next_reply_ = 1;
  SessionId next_session_ = 1;
};

TEST_F(SchedulerTest, AnswersASubmissionOnlyOnceItIsStored) {
  const std::int64_t before = database_.head();
  Submit("r1", "q1", {AStep("a")});
  ASSERT_TRUE(Turn().ok());
  ASSERT_EQ(recorder_->All<Answer>().size(), 1U);
  EXPECT_EQ(recorder_->All<Answer>()[0].value, "r1");
  for (const auto& [head, effect] : recorder_->said) EXPECT_EQ(head, before + 1);
}

TEST_F(SchedulerTest, SaysNothingOfATurnWhoseCommitFailsUntilItIsThere) {
  const std::int64_t before = database_.head();
  database_.FailCommitsBeforeStoring(2);
  Submit("r1", "q1", {AStep("a")});
  ASSERT_TRUE(Turn().ok());
  for (const auto& [head, effect] : recorder_->said) EXPECT_EQ(head, before + 1);
  EXPECT_EQ(recorder_->All<Answer>().size(), 1U);
}

TEST_F(SchedulerTest, StoresATurnOnceWhenItsOutcomeWasUnknown) {
  const std::int64_t before = database_.head();
  database_.FailNextCommitAfterStoring();
  Submit("r1", "q1", {AStep("a")});
  ASSERT_TRUE(Turn().ok());
  EXPECT_EQ(database_.head(), before + 1);
  EXPECT_EQ(recorder_->All<Answer>().size(), 1U);
}

TEST_F(SchedulerTest, RefusesWhatIsBeyondTheLimitOfItsSubmitterAndClaimsNothingOfIt) {
  options_.decide.pending_runs_max = 2;
  Restart();
  for (const char* name : {"r1", "r2", "r3"}) Submit(name, name, {AStep("a")});
  ASSERT_TRUE(Turn().ok());
  std::map<ReplyToken, absl::StatusCode> codes;
  for (const Answer& answer : recorder_->All<Answer>()) codes[answer.reply] = answer.status.code();
  EXPECT_THAT(codes,
              testing::ElementsAre(testing::Pair(1, absl::StatusCode::kOk),
                                   testing::Pair(2, absl::StatusCode::kOk),
                                   testing::Pair(3, absl::StatusCode::kFailedPrecondition)));
  // What was accepted is told so again, and what was refused may come once there is room.
  Submit("r2", "r2", {AStep("a")});
  ASSERT_TRUE(Turn().ok());
  EXPECT_EQ(recorder_->All<Answer>().back().value, "r2");
  Hello("m");
  Submit("r3", "r3", {AStep("a")});
  ASSERT_TRUE(Turn().ok());
  Submit("r3", "r3", {AStep("a")});
  ASSERT_TRUE(Turn().ok());
  EXPECT_EQ(recorder_->All<Answer>().back().value, "r3");
}

TEST_F(SchedulerTest, AnswersARepeatedRequestWithTheSameRunAndStoresNothing) {
  Submit("r1", "q1", {AStep("a")});
  ASSERT_TRUE(Turn().ok());
  const std::int64_t before = database_.head();
  Submit("other_name", "q1", {AStep("a")});
  ASSERT_TRUE(Turn().ok());
  EXPECT_EQ(recorder_->All<Answer>().back().value, "r1");
  EXPECT_TRUE(recorder_->All<Answer>().back().status.ok());
  EXPECT_EQ(database_.head(), before);
}

TEST_F(SchedulerTest, RefusesATakenNameWithoutSpendingTheRequestId) {
  Submit("r1", "q1", {AStep("a")});
  ASSERT_TRUE(Turn().ok());
  Submit("r1", "q2", {AStep("a")});
  ASSERT_TRUE(Turn().ok());
  EXPECT_EQ(recorder_->All<Answer>().back().status.code(), absl::StatusCode::kAlreadyExists);
  Submit("r2", "q2", {AStep("a")});
  ASSERT_TRUE(Turn().ok());
  EXPECT_EQ(recorder_->All<Answer>().back().value, "r2");
}

TEST_F(SchedulerTest, TakesOneOfTwoSubmissionsOfOneNameInOneTurn) {
  Submit("r1", "q1", {AStep("a")});
  Submit("r1", "q2", {AStep("a")});
  ASSERT_TRUE(Turn().ok());
  std::vector<bool> ok;
  for (const Answer& answer : recorder_->All<Answer>()) ok.push_back(answer.status.ok());
  EXPECT_THAT(ok, ::testing::UnorderedElementsAre(true, false));
}

TEST_F(SchedulerTest, OrdersAStepInTheTurnInWhichItsMachineSaysHello) {
  Submit("r1", "q1", {AStep("a")});
  ASSERT_TRUE(Turn().ok());
  Hello("m1");
  ASSERT_TRUE(Turn().ok());
  ASSERT_EQ(recorder_->All<SendOrder>().size(), 1U);
  EXPECT_EQ(std::get<StartOrder>(recorder_->All<SendOrder>()[0].order).run, "r1");
}

TEST_F(SchedulerTest, OrdersAgainAfterARestartWhatAnAgentDidNotHear) {
  Submit("r1", "q1", {AStep("a")});
  Hello("m1");
  ASSERT_TRUE(Turn().ok());
  ASSERT_EQ(recorder_->All<SendOrder>().size(), 1U);
  Restart();
  Hello("m1");
  ASSERT_TRUE(Turn().ok());
  ASSERT_EQ(recorder_->All<SendOrder>().size(), 1U);
  EXPECT_EQ(std::get<StartOrder>(recorder_->All<SendOrder>()[0].order).key.attempt, 1U);
}

TEST_F(SchedulerTest, StepsDownWhenAnotherServerHasWritten) {
  database_.AppendAsOther({ServerStarted{99, "other", clock_.now}});
  Submit("r1", "q1", {AStep("a")});
  EXPECT_EQ(Turn().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(recorder_->All<Answer>().empty());
}

TEST_F(SchedulerTest, StepsDownWithoutWorkToDoWhenAnotherServerTookOver) {
  database_.AppendAsOther({ServerStarted{99, "other", clock_.now}});
  clock_.now += absl::Seconds(3);
  EXPECT_EQ(Turn().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(SchedulerTest, MayNotSpeakOnceTheDatabaseHasBeenAwayForLong) {
  EXPECT_TRUE(scheduler_->MaySpeak());
  database_.SetUnreachable(true);
  clock_.now += absl::Seconds(6);
  ASSERT_TRUE(Turn().ok());
  EXPECT_FALSE(scheduler_->MaySpeak());
  database_.SetUnreachable(false);
  ASSERT_TRUE(Turn().ok());
  EXPECT_TRUE(scheduler_->MaySpeak());
}

TEST_F(SchedulerTest, AnswersQuestionsAfterTheTurnOfWhatWasPostedBefore) {
  Submit("r1", "q1", {AStep("a")});
  std::size_t runs = 0;
  ASSERT_TRUE(scheduler_->Ask([&](const State& state) { runs = state.runs.size(); }));
  ASSERT_TRUE(Turn().ok());
  EXPECT_EQ(runs, 1U);
}

TEST_F(SchedulerTest, RefusesWhatDoesNotFitIntoTheMailbox) {
  scheduler_ = std::make_unique<Scheduler>(*bundle_.store,
                                           *bundle_.projector,
                                           *recorder_,
                                           clock_,
                                           *metrics_,
                                           SchedulerOptions{.decide = {}, .mailbox_max = 1});
  EXPECT_TRUE(scheduler_->Post(MachineHeard{1, "m1"}));
  EXPECT_FALSE(scheduler_->Post(MachineHeard{1, "m1"}));
  EXPECT_TRUE(scheduler_->PostAlways(MachineHeard{1, "m1"}));
}

// What the threads of gRPC do to it, for ThreadSanitizer to judge.
TEST_F(SchedulerTest, IsToldAndAskedByManyThreadsWhileItRuns) {
  constexpr int kThreads = 3;
  constexpr int kRuns = 30;
  absl::Status ended;
  std::thread loop([&] { ended = scheduler_->Run(); });
  const auto plan = APlan({AStep("a")});
  std::vector<std::thread> callers;
  for (int caller = 0; caller < kThreads; ++caller) {
    callers.emplace_back([&, caller] {
      for (int i = 0; i < kRuns; ++i) {
        const std::string name = "r" + std::to_string(caller) + "_" + std::to_string(i);
        const auto token = static_cast<ReplyToken>(caller * kRuns + i + 1);
        EXPECT_TRUE(scheduler_->Post(RunSubmitted{token, name, name, DigestOf(name), plan, "ada"}));
        std::promise<bool> known;
        EXPECT_TRUE(
            scheduler_->Ask([&](const State& state) { known.set_value(!state.runs.empty()); }));
        EXPECT_TRUE(known.get_future().get());
        EXPECT_TRUE(scheduler_->MaySpeak());
        // Read first: the head moves on meanwhile.
        const std::int64_t committed = scheduler_->committed_revision();
        EXPECT_LE(committed, database_.head());
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  scheduler_->Stop();
  loop.join();
  EXPECT_TRUE(ended.ok()) << ended;
  EXPECT_EQ(recorder_->All<Answer>().size(), std::size_t{kThreads * kRuns});
}

}  // namespace
}  // namespace potok::server
