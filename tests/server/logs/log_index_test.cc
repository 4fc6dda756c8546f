#include "server/logs/log_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/logs/log_reader.h"
#include "tests/server/logs/log_folder.h"

namespace potok::server {
namespace {

absl::Time At(std::int64_t seconds) {
  // Later than any file of the test was changed.
  return absl::FromUnixSeconds(4'000'000'000 + seconds);
}
std::int64_t AtMicros(std::int64_t seconds) {
  return absl::ToUnixMicros(At(seconds));
}

class LogIndexTest : public ::testing::Test {
 protected:
  // Appends to the log and its index, as the store does.
  void Append(const std::string& data, std::int64_t seconds) {
    std::ofstream(paths_.plain(), std::ios::app | std::ios::binary) << data;
    if (!writer_) writer_.emplace(paths_.index(), paths_.plain(), log_.size());
    writer_->Append(data.data(), data.size(), At(seconds));
    log_ += data;
  }
  LogReader Reader() const { return LogReader(paths_); }

  // What a reader finds is what one who reads all of the log would.
  void ExpectTrue() const {
    LogReader reader = Reader();
    std::int64_t lines = 0;
    const auto size = static_cast<std::int64_t>(log_.size());
    for (std::int64_t at = 0; at <= size; ++at) {
      const bool is_begin = at == 0 || log_[static_cast<std::size_t>(at) - 1] == '\n';
      if (at > 0 && is_begin) ++lines;
      if (at % 997 == 0) {
        EXPECT_EQ(*reader.LinesBefore(at), lines) << at;
      }
      if (is_begin && lines % 101 == 0) {
        EXPECT_EQ(*reader.BeginOfLine(lines), at) << lines;
      }
    }
  }

  LogFolder folder_;
  const LogPaths paths_{folder_ / "log"};
  std::string log_;
  std::optional<LogIndexWriter> writer_;
};

TEST_F(LogIndexTest, ASmallLogThatCameAtOnceHasNone) {
  Append("one\n", 0);
  Append("two\nthree", 0);
  EXPECT_FALSE(std::filesystem::exists(paths_.index()));
  EXPECT_EQ(*Reader().BeginOfLast(2), 4);
  EXPECT_EQ(*Reader().BeginOfLine(1), 4);
  EXPECT_EQ(*Reader().BeginOfTime(0), 0) << "it came when its file was changed";
  EXPECT_EQ(*Reader().BeginOfTime(AtMicros(0)), 13);
}

TEST_F(LogIndexTest, FindsLinesInALargeLog) {
  for (int i = 0; i < 30; ++i) Append(NumberedLines(1000), i);
  EXPECT_GE(LogIndex(paths_.index()).size(), 30);
  ExpectTrue();
  EXPECT_EQ(log_.substr(static_cast<std::size_t>(*Reader().BeginOfLast(2))),
            "line 998\nline 999\n");
  EXPECT_EQ(*Reader().BeginOfLast(1'000'000), 0);
}

TEST_F(LogIndexTest, FindsWhatArrivedSinceAndUntilATime) {
  Append("a\nb", 0);
  Append("b\nc\n", 10);
  Append("d\n", 20);
  EXPECT_EQ(*Reader().BeginOfTime(AtMicros(0)), 0);
  EXPECT_EQ(*Reader().BeginOfTime(AtMicros(10)), 2) << "the line of which a part came then";
  EXPECT_EQ(*Reader().BeginOfTime(AtMicros(11)), 7);
  EXPECT_EQ(*Reader().BeginOfTime(AtMicros(21)), 9);
  EXPECT_EQ(*Reader().EndOfTime(AtMicros(10)), 7);
  EXPECT_EQ(*Reader().EndOfTime(AtMicros(9)), 3);
  EXPECT_EQ(*Reader().EndOfTime(AtMicros(30)), 9);
  const std::vector<LogPoint> times = Reader().Times(1, 9, 100);
  ASSERT_EQ(times.size(), 3U);
  EXPECT_EQ(times[0].offset, 1);
  EXPECT_EQ(times[0].time_us, AtMicros(0));
  EXPECT_EQ(times[2], (LogPoint{7, 3, AtMicros(20), false}));
}

TEST_F(LogIndexTest, IsSearchedByTimesThatNeverGoBack) {
  Append("a\n", 100);
  Append("b\n", 50);
  Append("c\n", 101);
  EXPECT_EQ(*Reader().BeginOfTime(AtMicros(101)), 4);
}

TEST_F(LogIndexTest, IsMadeAnewWhenItIsMissing) {
  for (int i = 0; i < 30; ++i) Append(NumberedLines(1000), i);
  std::filesystem::remove(paths_.index());
  ExpectTrue();
  writer_.reset();
  Append("more\n", 40);
  EXPECT_GE(LogIndex(paths_.index()).size(), 4);
  ExpectTrue();
}

// A crash may leave any part of the index, and a power cut less of the log than was indexed.
TEST_F(LogIndexTest, GoesOnAfterACutAtAnyByte) {
  for (int i = 0; i < 8; ++i) Append(NumberedLines(400 * (i + 1)), i);
  const std::string index = BytesOf(paths_.index());
  const std::string log = log_;
  for (std::size_t cut = 0; cut <= index.size(); ++cut) {
    log_ = log;
    WriteBytes(paths_.plain(), log);
    WriteBytes(paths_.index(), index.substr(0, cut));
    writer_.reset();
    Append("after the crash\n", 1000);
    EXPECT_EQ(*Reader().BeginOfLine(14'400), static_cast<std::int64_t>(log.size()));
    EXPECT_EQ(*Reader().BeginOfTime(AtMicros(1000)), static_cast<std::int64_t>(log.size()));
    EXPECT_EQ(LogIndex(paths_.index()).size() * 32,
              static_cast<std::int64_t>(std::filesystem::file_size(paths_.index())));
  }
  for (const std::size_t size : {std::size_t{1}, log.size() / 3, log.size() - 1}) {
    log_ = log.substr(0, size);
    WriteBytes(paths_.plain(), log_);
    WriteBytes(paths_.index(), index);
    writer_.reset();
    Append("after the power cut\n", 1000);
    ExpectTrue();
  }
}

TEST_F(LogIndexTest, DoesNotBelieveADamagedRecord) {
  for (int i = 0; i < 30; ++i) Append(NumberedLines(1000), i);
  std::string index = BytesOf(paths_.index());
  for (std::size_t at = 0; at < index.size(); at += 37) {
    std::string damaged = index;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
    WriteBytes(paths_.index(), damaged);
    EXPECT_EQ(*Reader().LinesBefore(static_cast<std::int64_t>(log_.size())), 30'000);
    EXPECT_EQ(*Reader().BeginOfLine(29'000), *Reader().BeginOfLast(1000));
  }
}

}  // namespace
}  // namespace potok::server
