#include "common/runtime/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace potok {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Read(const std::vector<std::string>& arguments,
                              const std::set<std::string>& lists = {}) {
  std::vector<std::string> storage;
  const std::vector<char*> flags = FlagArguments(arguments, lists, storage);
  EXPECT_EQ(flags.back(), nullptr);
  EXPECT_EQ(flags.size(), storage.size() + 1);
  return {flags.begin(), flags.end() - 1};
}

TEST(FlagArgumentsTest, ReadsDashesInNamesButNotInValues) {
  EXPECT_THAT(Read({"server", "--http-listen=a-b", "--log-level", "x-y", "-v", "a--b"}),
              ElementsAre("server", "--http_listen=a-b", "--log_level", "x-y", "-v", "a--b"));
}

TEST(FlagArgumentsTest, LeavesWhatFollowsABareDoubleDash) {
  EXPECT_THAT(Read({"server", "--a-b", "--", "--c-d", "--label=x"}, {"label"}),
              ElementsAre("server", "--a_b", "--", "--c-d", "--label=x"));
}

TEST(FlagArgumentsTest, JoinsListsThatAreGivenSeveralTimes) {
  EXPECT_THAT(
      Read({"agent", "--label=a=1", "--on-stop=kill", "--label", "b-c=2", "--server=unix:/a-b"},
           {"label", "pool"}),
      ElementsAre("agent", "--on_stop=kill", "--server=unix:/a-b", "--label=a=1,b-c=2"));
}

TEST(FlagArgumentsTest, LeavesAListWithoutAValueToTheParser) {
  EXPECT_THAT(Read({"agent", "--label"}, {"label"}), ElementsAre("agent", "--label"));
}

}  // namespace
}  // namespace potok
