#include "agent/link/wire.h"

#include <gtest/gtest.h>

namespace potok::agent {
namespace {

// A step wrote a link to '\xff/../..', and the report of that named it. Strings of proto3 are
// UTF-8: the server could not read the message and ended the stream, and the next Hello held the
// report again.
TEST(WireTest, AReportThatNamesAnyBytesCanBeRead) {
  const Report report{{1, 2, 3},
                      FailedReport{.cause = FailureCause::kOutput,
                                   .code = 0,
                                   .message = "link é leads to '\xff/..'",
                                   .log_bytes = 7}};
  const auto read = ParseReport(SerializeReport(report));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(std::get<FailedReport>(read->event).message, "link ?? leads to '?/..'");
  EXPECT_EQ(read->key, report.key);
}

TEST(WireTest, AReportKeepsItsWordsInAnyLanguage) {
  const Report report{
      {1, 2, 3},
      FailedReport{
          .cause = FailureCause::kStart, .code = 1, .message = "кто это é", .log_bytes = 0}};
  const auto read = ParseReport(SerializeReport(report));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, report);
}

}  // namespace
}  // namespace potok::agent
