// Commands beside those of attempts: when they may run, and with what.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/agent/loop/fakes.h"

namespace potok::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

ExecOrder AnExec(std::vector<std::string> argv) {
  ExecOrder order;
  order.token = "t";
  order.key = kKey;
  order.argv = std::move(argv);
  return order;
}

class BesideTest : public ::testing::Test {
 protected:
  // What the loop answered last.
  const absl::StatusOr<ExecCommand>& Ask(std::vector<std::string> argv = {"ls", "-l"}) {
    agent_.Hear(AnExec(std::move(argv)));
    return agent_.execs.opened.back().second;
  }
  void HasProcesses() {
    agent_.executor.places[kKey] = {.command = 4711, .cgroups = {"/cg/cgroup.procs"}};
  }

  TempFolder state_;
  FakeAgent agent_{state_.path()};
};

TEST_F(BesideTest, RunsWithTheAttemptsEnvironmentFolderAndLimits) {
  agent_.Join();
  v1::StartAttempt start;
  (*start.mutable_environment_variables())["DEPTH"] = "3";
  agent_.Hear(AnOrder(kKey, start));
  agent_.Start();
  HasProcesses();
  const auto command = Ask();
  ASSERT_TRUE(command.ok()) << command.status();
  EXPECT_THAT(command->argv, ElementsAre("ls", "-l"));
  EXPECT_EQ(command->environment.at("DEPTH"), "3");
  EXPECT_EQ(command->environment.at("TMPDIR"), agent_.folders->PathsOf(kKey).temporary());
  EXPECT_FALSE(command->environment.contains("TERM"));
  EXPECT_EQ(command->directory, agent_.Path("work"));
  EXPECT_THAT(command->cgroups, ElementsAre("/cg/cgroup.procs"));
  EXPECT_EQ(command->sandbox, 0);
}

TEST_F(BesideTest, NoCommandIsAShell) {
  agent_.Join();
  agent_.Hear(AnOrder());
  agent_.Start();
  HasProcesses();
  ExecOrder order = AnExec({});
  order.has_terminal = true;
  order.terminal_type = "xterm";
  agent_.Hear(order);
  const auto& command = agent_.execs.opened.back().second;
  ASSERT_TRUE(command.ok()) << command.status();
  EXPECT_EQ(command->argv.front(), "/bin/sh");
  EXPECT_EQ(command->environment.at("TERM"), "xterm");
}

TEST_F(BesideTest, EntersTheSandboxOfAStepThatHasOne) {
  agent_.Join();
  v1::StartAttempt start;
  start.set_network("none");
  // Its own start fails, since this agent has no sandboxes; what counts is what it was taken for.
  const RuntimeChoice choice = agent_.runtimes.Choose(AnOrder(kKey, start).order);
  EXPECT_TRUE(choice.sandbox);
}

TEST_F(BesideTest, SaysWhyThereIsNothingToRunBeside) {
  agent_.Join();
  EXPECT_THAT(std::string(Ask().status().message()), HasSubstr("not on this machine any more"));
  agent_.Hear(AnOrderWithInput());
  EXPECT_THAT(std::string(Ask().status().message()), HasSubstr("being fetched"));
  agent_.Happen(kKey, StagingDone{absl::OkStatus()});
  HasProcesses();
  EXPECT_THAT(std::string(Ask().status().message()), HasSubstr("just being started"));
  agent_.Start();
  EXPECT_TRUE(Ask().ok());
  agent_.Hear(StopOrder{kKey, absl::Seconds(1)});
  EXPECT_THAT(std::string(Ask().status().message()), HasSubstr("is being ended"));
  agent_.End(EndCause::kStopped);
  EXPECT_THAT(std::string(Ask().status().message()), HasSubstr("has ended"));
  for (const auto& [order, command] : agent_.execs.opened) {
    EXPECT_TRUE(command.ok() || absl::IsFailedPrecondition(command.status()));
  }
}

TEST_F(BesideTest, EndsWithTheCommandBeforeOutputsAreRead) {
  agent_.Join();
  agent_.Hear(AnOrderWithOutput());
  agent_.Happen(kKey, StagingDone{absl::OkStatus()});
  agent_.Start();
  EXPECT_TRUE(agent_.execs.ended.empty());
  agent_.End(EndCause::kExit);
  EXPECT_THAT(agent_.execs.ended, ElementsAre(kKey));
  EXPECT_THAT(agent_.transfers.storing, ElementsAre(kKey));
}

TEST_F(BesideTest, AnAgentThatDeniesItSaysSo) {
  TempFolder other;
  FakeAgent agent(other.path(), "boot-1", OnStop::kLeave, false);
  agent.Join();
  EXPECT_FALSE(agent.link.hellos.back().introduction.allows_exec);
  agent.Hear(AnExec({"ls"}));
  EXPECT_TRUE(absl::IsPermissionDenied(agent.execs.opened.back().second.status()));
}

}  // namespace
}  // namespace potok::agent
