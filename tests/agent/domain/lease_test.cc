#include "agent/domain/lease.h"

#include <gtest/gtest.h>

#include "agent/domain/log_limit.h"

namespace potok::agent {
namespace {

TEST(LeaseTest, HasNoDeadlineBeforeTheFirstWelcome) {
  Lease lease;
  lease.HelloSent(absl::Seconds(10));
  EXPECT_EQ(lease.deadline(), absl::InfiniteDuration());
}

TEST(LeaseTest, CountsFromTheSendingOfTheLastAcknowledgedHeartbeat) {
  Lease lease;
  lease.HelloSent(absl::Seconds(10));
  lease.Welcomed(absl::Seconds(60));
  EXPECT_EQ(lease.deadline(), absl::Seconds(70));
  EXPECT_EQ(lease.HeartbeatSent(absl::Seconds(15)), 1U);
  EXPECT_EQ(lease.HeartbeatSent(absl::Seconds(20)), 2U);
  EXPECT_EQ(lease.HeartbeatSent(absl::Seconds(25)), 3U);
  EXPECT_EQ(lease.deadline(), absl::Seconds(70));
  lease.Acknowledged(2);
  EXPECT_EQ(lease.deadline(), absl::Seconds(80));
  lease.Acknowledged(1);
  EXPECT_EQ(lease.deadline(), absl::Seconds(80)) << "an older one takes nothing back";
}

TEST(LeaseTest, StandsWhileAnotherSessionIsTried) {
  Lease lease;
  lease.HelloSent(absl::Seconds(10));
  lease.Welcomed(absl::Seconds(60));
  lease.HeartbeatSent(absl::Seconds(15));
  lease.HelloSent(absl::Seconds(30));
  EXPECT_EQ(lease.deadline(), absl::Seconds(70));
  lease.Welcomed(absl::Seconds(20));
  EXPECT_EQ(lease.deadline(), absl::Seconds(50)) << "a new session may name another length";
}

TEST(LogLimitTest, KeepsTheBeginningAMarkAndTheEnd) {
  const LogLimit limit{.head_bytes = 1000, .end_bytes = 10};
  const auto mark = static_cast<std::int64_t>(LogCutMark(limit).size());
  EXPECT_EQ(StoredLogOf(0, limit).bytes(), 0);
  EXPECT_EQ(StoredLogOf(1000, limit).bytes(), 1000);
  EXPECT_EQ(StoredLogOf(1001, limit).bytes(), 1000 + mark + 1);
  EXPECT_EQ(StoredLogOf(1010, limit).bytes(), 1000 + mark + 10);
  const StoredLog long_one = StoredLogOf(3000, limit);
  EXPECT_EQ(long_one.end_offset, 2990);
  EXPECT_EQ(long_one.marks,
            LogCutMark(limit) + "[potok] 1990 bytes were dropped here; the last 10 follow\n");
}

}  // namespace
}  // namespace potok::agent
