#include "server/logs/line_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/logs/lines.h"

namespace potok::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::shared_ptr<const LinePattern> Pattern(const std::string& text, bool ignore_case = false) {
  auto pattern = LinePattern::Compile(text, ignore_case);
  EXPECT_TRUE(pattern.ok()) << pattern.status();
  return *pattern;
}

// "number:text" of a match, "number-text" of a line around one, as grep -n writes it.
std::vector<std::string> Grep(const std::string& log,
                              const std::string& pattern,
                              std::size_t context = 0,
                              std::size_t piece = 1000) {
  LineSearch search(Pattern(pattern), context, 0, 0);
  std::vector<FoundLine> found;
  for (std::size_t at = 0; at < log.size(); at += piece) search.Add(log.substr(at, piece), &found);
  search.End(&found);
  std::vector<std::string> lines;
  for (const FoundLine& line : found) {
    EXPECT_EQ(log.substr(static_cast<std::size_t>(line.offset), line.text.size()), line.text);
    lines.push_back(std::to_string(line.number) + (line.is_match ? ":" : "-") + line.text);
  }
  EXPECT_EQ(search.read_to(), static_cast<std::int64_t>(log.size()));
  return lines;
}

TEST(LineSearchTest, FindsLinesWithTheirNumbers) {
  EXPECT_THAT(Grep("one\ntwo\nthree\nfour", "t|r$"), ElementsAre("2:two", "3:three", "4:four"));
  EXPECT_THAT(Grep("a b\n\n\nb\n", "^b?$"), ElementsAre("2:", "3:", "4:b"));
  EXPECT_THAT(Grep("a\nb\n", "a\\sb|a.b|[^x]b"), ElementsAre()) << "a match never spans lines";
  EXPECT_THAT(Grep("", "x*"), ElementsAre());
  EXPECT_THAT(Grep("\n", "x*"), ElementsAre("1:"));
}

TEST(LineSearchTest, ShowsLinesAroundEachMatchOnce) {
  const std::string log = "1\n2\nx3\n4\nx5\n6\n7\n8\nx9";
  EXPECT_THAT(Grep(log, "x", 1), ElementsAre("2-2", "3:x3", "4-4", "5:x5", "6-6", "8-8", "9:x9"));
  EXPECT_THAT(Grep("x\na\nb\nc\nd", "x", 2), ElementsAre("1:x", "2-a", "3-b"));
  EXPECT_THAT(Grep("a\nb\nc\nx", "x", 2), ElementsAre("2-b", "3-c", "4:x"));
}

// The same whatever the pieces in which it arrives.
TEST(LineSearchTest, DoesNotDependOnHowTheLogIsCut) {
  std::string log;
  for (int i = 0; i < 200; ++i) log += (i % 7 == 3 ? "error " : "fine ") + std::to_string(i) + "\n";
  for (const std::size_t context : {0U, 1U, 3U, 100U}) {
    const std::vector<std::string> whole = Grep(log, "^error", context, log.size());
    EXPECT_GE(whole.size(), 28U);
    for (const std::size_t piece : {1U, 2U, 3U, 7U, 10U, 64U}) {
      EXPECT_EQ(Grep(log, "^error", context, piece), whole) << context << " " << piece;
    }
  }
}

TEST(LineSearchTest, CountsWithoutKeepingLines) {
  LineSearch search(Pattern("a"), 0, 0, 0);
  search.Add("a\nb\naa\n", nullptr);
  search.Add("a", nullptr);
  EXPECT_EQ(search.matches(), 2);
  search.End(nullptr);
  EXPECT_EQ(search.matches(), 3);
}

TEST(LineSearchTest, GoesOnFromALineInTheMiddle) {
  LineSearch search(Pattern("x"), 0, 500, 40);
  std::vector<FoundLine> found;
  search.Add("a\nx\n", &found);
  EXPECT_THAT(found, ElementsAre(FoundLine{42, 502, "x", true}));
}

TEST(LineSearchTest, LooksAtAnEndlessLineInPartsOfBoundedMemory) {
  LineSearch search(Pattern("needle"), 0, 0, 0);
  std::vector<FoundLine> found;
  const std::string piece(100'000, 'x');
  for (int i = 0; i < 50; ++i) search.Add(piece, &found);
  search.Add("needle" + piece + "\nneedle\n", &found);
  search.End(&found);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_LE(found[0].text.size(), LineSearch::kLineBytesMax + piece.size());
  EXPECT_EQ(found[0].number, 1);
  EXPECT_EQ(found[1], (FoundLine{2, 5'100'007, "needle", true}));
}

TEST(LinePatternTest, SaysWhereAPatternIsWrong) {
  const auto status = LinePattern::Compile("ab[c(d", false).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("'ab[c(d'"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("at character 3: missing ]"));
  EXPECT_THAT(std::string(LinePattern::Compile("(a){2000}", false).status().message()),
              HasSubstr("character 4"));
  const std::map<std::string, std::string> places = {
      {"ab(c", "character 3:"}, {"(a)b)", "character 5:"}, {"[(]\\((x", "character 6:"}};
  for (const auto& [pattern, place] : places) {
    EXPECT_THAT(std::string(LinePattern::Compile(pattern, false).status().message()),
                HasSubstr(place));
  }
  EXPECT_FALSE(LinePattern::Compile(std::string(5000, 'a'), false).ok());
}

TEST(LinePatternTest, IgnoresCaseWhenAsked) {
  EXPECT_EQ(Pattern("ERROR", true)->Find("an error", 0, 8), 3U);
  EXPECT_EQ(Pattern("ERROR")->Find("an error", 0, 8), std::string::npos);
}

TEST(CountLinesTest, CountsEveryLengthAndPlace) {
  std::string text;
  std::int64_t lines = 0;
  for (int i = 0; i < 5000; ++i) {
    EXPECT_EQ(CountLines(text.data(), text.size()), lines);
    const bool end = i % 3 == 0 || i > 2500;  // runs longer than a sum of bytes can count
    // Values that differ from '\n' by what a borrow would hide.
    text += end ? '\n' : static_cast<char>(i % 2 == 0 ? '\x0b' : '\x8a');
    lines += end ? 1 : 0;
  }
}

}  // namespace
}  // namespace potok::server
