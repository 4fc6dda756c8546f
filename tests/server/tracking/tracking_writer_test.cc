#include "server/tracking/tracking_writer.h"

#include <future>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/tracking/fake_tracking_store.h"

namespace potok::server {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

constexpr StepKey kStep{7, 2};

TrackedWrite AWrite(const std::string& metric, double value) {
  TrackedWrite write;
  write.run.mlflow_id = "calm_lake_train";
  write.run.attempt = {kStep.run, kStep.index, 1};
  write.metrics = {{metric, value, 1000, 0}};
  return write;
}

std::vector<double> ValuesOf(const std::vector<LoggedMetric>& told) {
  std::vector<double> values;
  for (const LoggedMetric& metric : told) values.push_back(metric.value);
  return values;
}

// What is told is read only after Stop, which joins the thread that tells.
class TrackingWriterTest : public testing::Test {
 protected:
  MetricSink Sink() {
    return [this](const LoggedMetric& metric) { told_.push_back(metric); };
  }

  FakeTrackingStore store_;
  std::vector<LoggedMetric> told_;
};

TEST_F(TrackingWriterTest, TakesAllThatCameMeanwhileIntoTheNextTransaction) {
  TrackingWriter writer(store_, nullptr);
  store_.Hold(true);
  std::vector<std::future<absl::Status>> calls;
  const auto call = [&] { return writer.Write(AWrite("loss", 1)); };
  calls.push_back(std::async(std::launch::async, call));
  store_.WaitUntilWriting();
  for (int i = 0; i < 20; ++i) calls.push_back(std::async(std::launch::async, call));
  store_.Hold(false);
  for (auto& one : calls) EXPECT_TRUE(one.get().ok());
  std::size_t written = 0;
  for (const std::size_t size : store_.transactions) written += size;
  EXPECT_EQ(written, 21u);
  EXPECT_LE(store_.transactions.size(), 21u);
}

TEST_F(TrackingWriterTest, TellsEachCallerHowItsOwnWent) {
  TrackingWriter writer(store_, nullptr);
  TrackedWrite refused = AWrite("loss", 1);
  refused.params = {{"lr", "0.1"}};
  EXPECT_EQ(writer.Write(refused).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(writer.Write(AWrite("loss", 1)).ok());
  store_.failure = absl::InternalError("disk full");
  EXPECT_EQ(writer.Write(AWrite("loss", 2)).code(), absl::StatusCode::kUnavailable);
}

TEST_F(TrackingWriterTest, RefusesWhatComesAfterItsEnd) {
  TrackingWriter writer(store_, nullptr);
  writer.Stop();
  EXPECT_EQ(writer.Write(AWrite("loss", 1)).code(), absl::StatusCode::kUnavailable);
}

TEST_F(TrackingWriterTest, TellsOnlyOfTheMetricThatIsWanted) {
  TrackingWriter writer(store_, Sink());
  writer.Want(kStep, "loss");
  EXPECT_TRUE(writer.Write(AWrite("accuracy", 0.5)).ok());
  EXPECT_TRUE(writer.Write(AWrite("loss", 3)).ok());
  TrackedWrite other = AWrite("loss", 4);
  other.run.attempt.index = 9;
  EXPECT_TRUE(writer.Write(other).ok());
  TrackedWrite child = AWrite("loss", 5);
  child.run.is_child = true;
  EXPECT_TRUE(writer.Write(child).ok());
  writer.Forget(kStep);
  EXPECT_TRUE(writer.Write(AWrite("loss", 6)).ok());
  writer.Stop();
  ASSERT_THAT(told_, SizeIs(1));
  EXPECT_EQ(told_[0].value, 3);
  EXPECT_EQ(told_[0].attempt, (AttemptKey{7, 2, 1}));
}

TEST_F(TrackingWriterTest, TellsFirstWhatWasStoredBefore) {
  TrackingWriter writer(store_, Sink());
  EXPECT_TRUE(writer.Write(AWrite("loss", 3)).ok());
  EXPECT_TRUE(writer.Write(AWrite("loss", 2)).ok());
  writer.Want(kStep, "loss");
  EXPECT_TRUE(writer.Write(AWrite("loss", 1)).ok());
  writer.Stop();
  EXPECT_THAT(ValuesOf(told_), ElementsAre(3, 2, 1));
  EXPECT_EQ(told_[0].count, 1);
  EXPECT_EQ(told_[2].count, 3);
}

// What was being stored while its metric became wanted was told ahead of what was stored before.
TEST_F(TrackingWriterTest, TellsInOrderWhatIsBeingStoredWhenItBecomesWanted) {
  TrackingWriter writer(store_, Sink());
  EXPECT_TRUE(writer.Write(AWrite("loss", 3)).ok());
  store_.Hold(true);
  auto second = std::async(std::launch::async, [&] { return writer.Write(AWrite("loss", 2)); });
  store_.WaitUntilWriting();
  writer.Want(kStep, "loss");
  store_.Hold(false);
  EXPECT_TRUE(second.get().ok());
  EXPECT_TRUE(writer.Write(AWrite("loss", 1)).ok());
  writer.Stop();
  EXPECT_THAT(ValuesOf(told_), ElementsAre(3, 2, 1));
}

TEST_F(TrackingWriterTest, TellsAllAgainWhenItIsWantedAgain) {
  TrackingWriter writer(store_, Sink());
  writer.Want(kStep, "loss");
  EXPECT_TRUE(writer.Write(AWrite("loss", 3)).ok());
  writer.Want(kStep, "loss");
  EXPECT_TRUE(writer.Write(AWrite("loss", 2)).ok());
  writer.Stop();
  EXPECT_THAT(ValuesOf(told_), ElementsAre(3, 3, 2));
}

// A sweep that was run again took its trials' results, and failed since none had logged its metric.
TEST_F(TrackingWriterTest, TellsWhatOneAttemptLoggedAsAnothers) {
  constexpr AttemptKey kTaker{8, 5, 0};
  TrackingWriter writer(store_, Sink());
  EXPECT_TRUE(writer.Write(AWrite("loss", 3)).ok());
  EXPECT_TRUE(writer.Write(AWrite("loss", 2)).ok());
  writer.Recall({kStep.run, kStep.index, 1}, kTaker, "loss");
  writer.Recall({kStep.run, kStep.index, 2}, kTaker, "loss");
  writer.Recall({kStep.run, kStep.index, 1}, kTaker, "accuracy");
  EXPECT_TRUE(writer.Write(AWrite("loss", 1)).ok());
  writer.Stop();
  ASSERT_GE(told_.size(), 2U);
  EXPECT_EQ(told_[0].attempt, kTaker);
  EXPECT_EQ(told_[0].value, 3);
  EXPECT_EQ(told_[1].count, 2);
}

}  // namespace
}  // namespace potok::server
