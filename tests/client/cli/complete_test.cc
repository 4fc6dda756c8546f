#include "client/cli/help/complete.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace potok::client {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Names = Completion::Names;

CommandTree ATree() {
  const OptionWords name = {{"-n", "--name"}, "NAME", "Name of the run", "", true, false, false};
  const OptionWords output = {{"-o", "--output"}, "table|json", "Form", "", false, false, false};
  const OptionWords set = {{"--set"}, "PATH=VALUE", "Changes", "", false, false, true};
  const OptionWords follow = {{"-f", "--follow"}, "", "Go on", "", false, false, false};
  const OptionWords step = {{"--step"}, "NAME", "Step", "", false, false, false};
  const OptionWords file = {{"file"}, "FILE", "File", "", false, true, false};
  const CommandTree logs = {"logs", "The log", "", false, {name, step, follow, output}, {}};
  const CommandTree job = {"job", "Runs", "", false, {}, {logs}};
  const CommandTree run = {"run", "Run it", "", false, {file, set}, {}};
  const CommandTree hidden = {"jot", "Hidden", "", true, {}, {}};
  return {"potok", "", "", false, {}, {job, run, hidden}};
}

std::vector<std::string> WordsFor(const std::vector<std::string>& line) {
  std::vector<std::string> words;
  for (const auto& [word, what] : CompleteWords(ATree(), line).words) words.push_back(word);
  return words;
}
Names NamesFor(const std::vector<std::string>& line) {
  return CompleteWords(ATree(), line).names;
}

TEST(CompleteTest, OffersCommandsThatAreNotHidden) {
  EXPECT_THAT(WordsFor({}), ElementsAre("job", "run"));
  EXPECT_THAT(WordsFor({"jo"}), ElementsAre("job"));
  EXPECT_THAT(WordsFor({"job", ""}), ElementsAre("logs"));
  EXPECT_THAT(WordsFor({"nothing", "lo"}), IsEmpty());
}

TEST(CompleteTest, OffersOptionsByTheirLongNames) {
  EXPECT_THAT(WordsFor({"job", "logs", "--"}),
              ElementsAre("--name", "--step", "--follow", "--output"));
  EXPECT_THAT(WordsFor({"job", "logs", "-n", "x", "--f"}), ElementsAre("--follow"));
}

TEST(CompleteTest, OffersChoicesInEveryWayToWriteThem) {
  EXPECT_THAT(WordsFor({"job", "logs", "-o", ""}), ElementsAre("table", "json"));
  EXPECT_THAT(WordsFor({"job", "logs", "--output=j"}), ElementsAre("--output=json"));
  EXPECT_THAT(WordsFor({"job", "logs", "--output", "=", "j"}), ElementsAre("json"));
  EXPECT_THAT(WordsFor({"job", "logs", "--output", "="}), ElementsAre("table", "json"));
  EXPECT_THAT(WordsFor({"job", "logs", "-f", "j"}), IsEmpty());
}

TEST(CompleteTest, KnowsWhoseNamesAreMeant) {
  EXPECT_EQ(NamesFor({"job", "logs", "-n", "br"}), Names::kRuns);
  EXPECT_EQ(NamesFor({"job", "logs", "--name=br"}), Names::kRuns);
  EXPECT_EQ(NamesFor({"job", "logs", "--step", "t"}), Names::kNone);
  const Completion steps = CompleteWords(ATree(), {"job", "logs", "-n", "brave", "--step", "t"});
  EXPECT_EQ(steps.names, Names::kSteps);
  EXPECT_EQ(steps.run, "brave");
  EXPECT_EQ(CompleteWords(ATree(), {"job", "logs", "--name=brave", "--step", ""}).run, "brave");
}

TEST(CompleteTest, TellsPositionalArgumentsFromValues) {
  EXPECT_EQ(NamesFor({"run", "pi"}), Names::kFiles);
  EXPECT_EQ(NamesFor({"run", "pipe.yml", "x"}), Names::kNone);
  EXPECT_EQ(NamesFor({"run", "--set", "a=1", "b"}), Names::kNone);
  EXPECT_EQ(NamesFor({"run", "--", "ls", "x"}), Names::kFiles);
}

}  // namespace
}  // namespace potok::client
