// `potok job logs`: how it reads times, what it asks a server, what it prints.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "client/cli/command_line.h"
#include "client/cli/logs/log_printer.h"
#include "client/cli/logs/log_time.h"
#include "tests/client/cli/fake_server.h"

namespace potok::client {
namespace {

using testing::HasSubstr;

v1::LogsResponse Data(const std::string& step, const std::string& data, std::int64_t offset = 0) {
  v1::LogsResponse response;
  response.set_step(step);
  response.set_attempt(1);
  response.set_offset(offset);
  response.set_data(data);
  return response;
}

v1::LogLine Line(std::int64_t number, const std::string& text, bool is_match) {
  v1::LogLine line;
  line.set_number(number);
  line.set_text(text);
  line.set_is_match(is_match);
  return line;
}

class LogPrinterTest : public testing::Test {
 protected:
  LogPrinterTest() {
    context_.out = &out_;
    context_.zone = absl::UTCTimeZone();
  }
  void OnTerminal(bool color) {
    context_.out_is_terminal = true;
    context_.environment = {{"TERM", "xterm"}};
    if (!color) context_.environment["NO_COLOR"] = "1";
  }
  std::string Print(const LogPrinterOptions& options,
                    const std::vector<v1::LogsResponse>& responses) {
    out_.str("");
    LogPrinter printer(context_, options);
    for (const v1::LogsResponse& response : responses) printer.Print(response);
    printer.Close();
    return out_.str();
  }

  Context context_;
  std::ostringstream out_;
};

TEST_F(LogPrinterTest, PassesBytesThroughToAFile) {
  std::string bytes = "no end of a line";
  for (int byte = 255; byte >= 0; --byte) bytes += static_cast<char>(byte);
  EXPECT_EQ(Print({}, {Data("train", bytes), Data("train", "more", 272)}), bytes + "more");
  OnTerminal(true);
  EXPECT_EQ(Print({.raw = true}, {Data("train", bytes)}), bytes);
}

TEST_F(LogPrinterTest, MakesBytesHarmlessOnATerminal) {
  OnTerminal(false);
  EXPECT_EQ(Print({}, {Data("a", "\x1b[2J\xff\t\xc3"), Data("a", "\xa4\nlast")}),
            "\\x1b[2J\\xff\t\xc3\xa4\nlast\n");
  EXPECT_EQ(Print({}, {Data("a", "10 %\r20 %\r\n\x1b[31mred\x1b[0m\n")}),
            "20 %\n\\x1b[31mred\\x1b[0m\n");
  OnTerminal(true);
}

TEST_F(LogPrinterTest, LeavesColoursToATerminalThatShowsThem) {
  OnTerminal(true);
  EXPECT_EQ(Print({}, {Data("a", "\x1b[1;31mred\n\x1b[2Jx\n")}),
            "\x1b[1;31mred\x1b[0m\n\\x1b[2Jx\n");
}

TEST_F(LogPrinterTest, PrintsALongLineInPartsAndNoCharacterInTwo) {
  OnTerminal(false);
  std::string line;
  while (line.size() < 300'000) line += "\xe2\x82\xac";  // €, three bytes
  std::vector<v1::LogsResponse> parts;
  for (std::size_t at = 0; at < line.size(); at += 1000) {
    parts.push_back(Data("a", line.substr(at, 1000)));
  }
  EXPECT_EQ(Print({}, parts), line + "\n");
}

TEST_F(LogPrinterTest, PutsLinesOfSeveralStepsBehindTheirNames) {
  const LogPrinterOptions options = {.several = true, .interleaved = true};
  EXPECT_EQ(
      Print(options, {Data("prep", "one\ntw"), Data("train", "a\n"), Data("prep", "o\nrest")}),
      "prep | one\ntrain | a\nprep  | two\nprep  | rest\n");
  v1::LogsResponse again = Data("prep", "x\n");
  again.set_attempt(2);
  EXPECT_EQ(Print(options, {again}), "prep (attempt 2) | x\n");
  OnTerminal(true);
  EXPECT_EQ(Print(options, {Data("b", "1\n"), Data("c", "2\n"), Data("b", "3\n")}),
            "\x1b[36mb | \x1b[0m1\n\x1b[33mc | \x1b[0m2\n\x1b[36mb | \x1b[0m3\n");
}

TEST_F(LogPrinterTest, PutsWholeLogsUnderHeadings) {
  EXPECT_EQ(Print({.several = true}, {Data("prep", "one\nno end"), Data("train", "two\n")}),
            "==> prep <==\none\nno end\n\n==> train <==\ntwo\n");
}

TEST_F(LogPrinterTest, ShowsWhenEachLineArrived) {
  v1::LogsResponse response = Data("a", "one\ntwo\nthree\n", 100);
  for (const auto& [offset, time] : std::map<std::int64_t, std::int64_t>{
           {100, 1'700'000'000'000'000}, {104, 1'700'000'001'500'000}}) {
    v1::LogTime& at = *response.add_times();
    at.set_offset(offset);
    at.set_time_us(time);
  }
  EXPECT_EQ(Print({.times = true}, {response}),
            "2023-11-14 22:13:20.0 one\n2023-11-14 22:13:21.5 two\n2023-11-14 22:13:21.5 three\n");
}

TEST_F(LogPrinterTest, ShowsWhatASearchFound) {
  v1::LogsResponse found = Data("train", "");
  *found.add_lines() = Line(3, "around", false);
  *found.add_lines() = Line(4, "match", true);
  *found.add_lines() = Line(9, "another", true);
  EXPECT_EQ(Print({.context = true}, {found}), "3-around\n4:match\n--\n9:another\n");
  EXPECT_EQ(Print({.several = true, .interleaved = true}, {found}),
            "train | 3-around\ntrain | 4:match\ntrain | 9:another\n");
  EXPECT_EQ(Print({.raw = true}, {found}), "around\nmatch\nanother\n");
  v1::LogsResponse count = Data("train", "");
  count.set_matches(7);
  EXPECT_EQ(Print({}, {count, count}), "7\n") << "told again after a cut";
  EXPECT_EQ(Print({.several = true}, {count}), "train: 7\n");
}

TEST(LogTimeTest, ReadsTimesAsPeopleGiveThem) {
  const absl::TimeZone zone = absl::FixedTimeZone(3600);
  const absl::Time now = absl::FromUnixSeconds(1'700'000'000);  // 23:13:20 there
  const auto parse = [&](const std::string& text) {
    const auto time = ParseLogTime(text, now, zone);
    return time.ok() ? *time : 0;
  };
  EXPECT_EQ(parse("90s"), -90'000'000);
  EXPECT_EQ(parse("1h30m"), -5'400'000'000);
  EXPECT_EQ(parse("2d"), -172'800'000'000);
  EXPECT_EQ(parse("2023-11-14 23:13:20"), 1'700'000'000'000'000);
  EXPECT_EQ(parse("2023-11-14T22:13:20Z"), 1'700'000'000'000'000);
  EXPECT_EQ(parse("2023-11-14T23:13:20.5"), 1'700'000'000'500'000);
  EXPECT_EQ(parse("23:13"), 1'699'999'980'000'000);
  EXPECT_EQ(parse("2023-11-15"), 1'700'002'800'000'000);
  for (const char* wrong : {"", "10", "-5m", "0s", "yesterday", "2023-13-01", "25:00", "10m ago"}) {
    EXPECT_THAT(std::string(ParseLogTime(wrong, now, zone).status().message()),
                HasSubstr("is no time: give"))
        << wrong;
  }
}

TEST(LineRangeTest, ReadsRangesOfLines) {
  using Range = std::pair<std::int64_t, std::int64_t>;
  EXPECT_EQ(*ParseLineRange("3:7"), Range(3, 7));
  EXPECT_EQ(*ParseLineRange("3:"), Range(3, 0));
  EXPECT_EQ(*ParseLineRange(":7"), Range(0, 7));
  EXPECT_EQ(*ParseLineRange("5"), Range(5, 5));
  for (const char* wrong : {"", ":", "0:3", "7:3", "a:b", "1:2:3", "-1"}) {
    EXPECT_FALSE(ParseLineRange(wrong).ok()) << wrong;
  }
}

class JobLogsTest : public testing::Test {
 protected:
  JobLogsTest() {
    context_.environment = {{"POTOK_SERVER", server_.address()}};
    context_.out = &out_;
    context_.err = &err_;
    context_.zone = absl::UTCTimeZone();
    v1::Run& run = server_.runs.runs["river"];
    for (const char* step : {"prep", "train"}) run.add_steps()->set_name(step);
  }
  int Logs(const std::vector<std::string>& words) {
    out_.str("");
    err_.str("");
    std::vector<std::string> all = {"job", "logs", "-n", "river"};
    all.insert(all.end(), words.begin(), words.end());
    return RunCommandLine(all, context_);
  }
  const v1::LogsRequest& asked() const { return server_.runs.logs_requests.back(); }

  FakeServer server_;
  Context context_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(JobLogsTest, ShowsAllStepsWhenNoneIsNamed) {
  server_.runs.logs = {{"prep", "one\n"}, {"train", "two\n"}};
  EXPECT_EQ(Logs({}), 0);
  EXPECT_EQ(out_.str(), "==> prep <==\none\n\n==> train <==\ntwo\n");
  EXPECT_EQ(Logs({"--step", "train"}), 0);
  EXPECT_EQ(out_.str(), "two\n");
}

TEST_F(JobLogsTest, AsksForPlacesAndASearch) {
  EXPECT_EQ(Logs({"--step", "tr*", "--step", "prep", "--since", "10m", "--until", "5m"}), 0);
  EXPECT_EQ(asked().steps_size(), 2);
  EXPECT_EQ(asked().since_us(), -600'000'000);
  EXPECT_EQ(asked().until_us(), -300'000'000);
  EXPECT_EQ(Logs({"--step", "train", "--lines", "10:20", "--grep", "a.b", "-i", "-C", "2"}), 1);
  EXPECT_EQ(asked().step(), "train");
  EXPECT_EQ(asked().from_line(), 10);
  EXPECT_EQ(asked().to_line(), 20);
  EXPECT_EQ(asked().search().pattern(), "a.b");
  EXPECT_TRUE(asked().search().ignore_case());
  EXPECT_EQ(asked().search().context_lines(), 2);
  EXPECT_EQ(Logs({"--since", "tomorrow"}), 2);
  EXPECT_THAT(err_.str(), HasSubstr("'tomorrow' is no time"));
  EXPECT_EQ(Logs({"--count"}), 2);
  EXPECT_THAT(err_.str(), HasSubstr("give --grep REGEX"));
}

TEST_F(JobLogsTest, GoesOnWhereEachLogWasCut) {
  const grpc::Status cut = {grpc::StatusCode::UNAVAILABLE, "going down"};
  server_.runs.logs_answers[1] = {{Data("prep", "one\ntw"), Data("train", "a\n")}, cut};
  server_.runs.logs_answers[2] = {{}, cut};
  v1::LogsResponse again = Data("train", "b\n", 2);
  server_.runs.logs_answers[3] = {{Data("prep", "o\n", 6), again}, grpc::Status::OK};
  EXPECT_EQ(Logs({"-f"}), 0);
  EXPECT_EQ(out_.str(), "prep | one\ntrain | a\nprep  | two\ntrain | b\n");
  EXPECT_EQ(err_.str(),
            "potok: the line to the server was cut (going down); trying again\n"
            "potok: the server is back\n");
  ASSERT_EQ(asked().resume_at_size(), 2);
  EXPECT_EQ(asked().resume_at(0).step(), "prep");
  EXPECT_EQ(asked().resume_at(0).offset(), 6);
  EXPECT_EQ(asked().resume_at(1).offset(), 2);
}

}  // namespace
}  // namespace potok::client
