#include "client/cli/text/printable.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>

#include "client/cli/text/nearest.h"
#include "client/cli/text/table.h"

namespace potok::client {
namespace {

TEST(PrintableTest, ShowsControlCharactersAndBrokenUtf8AsBytes) {
  EXPECT_EQ(Printable("a\x1b[31mb\x07\tc\x7f"), "a\\x1b[31mb\\x07\tc\\x7f");
  EXPECT_EQ(Printable("za\xC5\xBC\xC3\xB3\xC5\x82\xC4\x87 \xF0\x9F\x98\x80"),
            "za\xC5\xBC\xC3\xB3\xC5\x82\xC4\x87 \xF0\x9F\x98\x80");
  // C1 "control sequence introducer", an overlong '/', half of a character.
  EXPECT_EQ(Printable("\xC2\x9B"), "\\xc2\\x9b");
  EXPECT_EQ(Printable("\xC0\xAF"), "\\xc0\\xaf");
  EXPECT_EQ(Printable("a\xE2\x82"), "a\\xe2\\x82");
}

TEST(PrintableTest, LeavesOfAProgressBarWhatATerminalWould) {
  EXPECT_EQ(PrintableLogLine("10%\r50%\r100%"), "100%");
  EXPECT_EQ(PrintableLogLine("windows line\r"), "windows line");
}

TEST(PrintableTest, ShortensByCharacters) {
  EXPECT_EQ(Shortened("abcdef", 6), "abcdef");
  EXPECT_EQ(Shortened("abcdef", 4), "abc…");
  EXPECT_EQ(Shortened("\xC5\xBC\xC5\xBC\xC5\xBC", 2), "\xC5\xBC…");
  EXPECT_EQ(Shortened("abc", 0), "");
}

// What bash makes of a command: each word of its arguments in brackets.
std::string WordsOfBash(const std::vector<std::string>& arguments) {
  std::vector<std::string> argv = {"printf", "[%s]"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const std::string script = ShellCommandOf(argv);
  const std::string command = "bash -c " + ShellQuoted(script);
  FILE* pipe = popen(command.c_str(), "r");
  std::string out;
  std::array<char, 256> buffer{};
  while (const std::size_t size = fread(buffer.data(), 1, buffer.size(), pipe)) {
    out.append(buffer.data(), size);
  }
  pclose(pipe);
  return out;
}

TEST(ShellCommandTest, GivesBashExactlyTheWordsThatWereGiven) {
  EXPECT_EQ(WordsOfBash({"a b",  "",   "it's", "$HOME", "`id`",     "$(id)", "a\"b",
                         "\\",   "*",  "~",    "{1,2}", "--lr=0.1", "A=b",   "#c",
                         "x\ny", "!!", ";",    "&&",    "|",        "<",     "$[[x]]"}),
            "[a b][][it's][$HOME][`id`][$(id)][a\"b][\\][*][~][{1,2}][--lr=0.1][A=b][#c][x\ny][!!]"
            "[;][&&][|][<][$[[x]]]");
}

TEST(ShellCommandTest, QuotesAFirstWordThatBashWouldReadAsSyntax) {
  EXPECT_EQ(ShellCommandOf({"time", "ls"}), "'time' ls");
  EXPECT_EQ(ShellCommandOf({"A=b", "A=b"}), "'A=b' A=b");
  EXPECT_EQ(ShellCommandOf({"python", "a b.py"}), "python 'a b.py'");
}

TEST(ShellCommandTest, LeavesReferencesToInputsOutsideOfTheQuotes) {
  EXPECT_EQ(ShellQuoted("${{inputs.data}}"), "${{inputs.data}}");
  EXPECT_EQ(ShellQuoted("--in=${{inputs.data}}/x y"), "'--in='${{inputs.data}}'/x y'");
  EXPECT_EQ(ShellQuoted("${{not closed"), "'${{not closed'");
}

TEST(ShellCommandTest, BreaksWhatWouldBeAnOptionalBlock) {
  EXPECT_EQ(ShellQuoted("$[[a]]").find("$[["), std::string::npos);
}

TEST(TableTest, PadsColumnsToTheirWidestCell) {
  EXPECT_EQ(Table({"NAME", "STATE", ""}, {{"a", "Running", "x"}, {"long name", "Ok"}}),
            "NAME       STATE\n"
            "---------  -------  -\n"
            "a          Running  x\n"
            "long name  Ok\n");
}

TEST(TableTest, WritesDurationsInTwoUnits) {
  EXPECT_EQ(ShortDuration(absl::Milliseconds(420)), "0.4s");
  EXPECT_EQ(ShortDuration(absl::Seconds(12)), "12s");
  EXPECT_EQ(ShortDuration(absl::Seconds(185)), "3m 05s");
  EXPECT_EQ(ShortDuration(absl::Minutes(130)), "2h 10m");
  EXPECT_EQ(ShortDuration(absl::Hours(76)), "3d 4h");
  EXPECT_EQ(ShortDuration(absl::Seconds(-5)), "0.0s");
}

TEST(TableTest, WritesTimesAsAzureDoes) {
  EXPECT_EQ(IsoTime(1'700'000'000'123'456), "2023-11-14T22:13:20.123456+00:00");
  EXPECT_EQ(IsoTime(0), "");
  EXPECT_EQ(LocalTime(1'700'000'000'123'456, absl::FixedTimeZone(3600)), "2023-11-14 23:13:20");
}

TEST(NearestTest, SuggestsTheLikeliestWord) {
  const std::vector<std::string> known = {"create", "cancel", "list", "show", "up"};
  EXPECT_EQ(Nearest("craete", known), "create");
  EXPECT_EQ(Nearest("lst", known), "list");
  EXPECT_EQ(Nearest("cancle", known), "cancel");
  EXPECT_EQ(Nearest("frobnicate", known), "");
  EXPECT_EQ(Nearest("xy", known), "");
}

}  // namespace
}  // namespace potok::client
