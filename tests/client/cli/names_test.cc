// Names that completion asks a server for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <thread>

#include "client/cli/command_line.h"
#include "tests/client/cli/fake_server.h"

namespace potok::client {
namespace {

class NamesTest : public testing::Test {
 protected:
  std::string Complete(const std::vector<std::string>& line) {
    std::ostringstream out;
    std::ostringstream err;
    Context context;
    context.environment = {{"POTOK_SERVER", server_.address()}};
    context.working_folder = server_.folder();
    context.out = &out;
    context.err = &err;
    std::vector<std::string> words = {"complete", "--"};
    words.insert(words.end(), line.begin(), line.end());
    EXPECT_EQ(RunCommandLine(words, context), 0);
    EXPECT_EQ(err.str(), "");
    return out.str();
  }
  void AddRun(const std::string& name) {
    v1::Run run;
    run.set_name(name);
    server_.runs.listed.push_back(run);
  }

  FakeServer server_;
};

TEST_F(NamesTest, AreAskedForByWhatIsThereOfThem) {
  AddRun("brave_river");
  EXPECT_EQ(Complete({"job", "show", "--name=br"}), "--name=brave_river\t\n");
  ASSERT_EQ(server_.runs.list_requests.size(), 1U);
  EXPECT_EQ(server_.runs.list_requests[0].name_prefix(), "br");
  EXPECT_EQ(server_.runs.list_requests[0].page_size(), 100);
}

// What a shell puts in the line is run by the next Enter.
TEST_F(NamesTest, AreLeftOutIfAShellWouldTakeThemForMore) {
  for (const char* name : {"a;reboot",
                           "a b",
                           "a$(id)",
                           "a`id`",
                           "a|b",
                           "a&",
                           "a>b",
                           "a'",
                           "a\nb",
                           "a\x1b[2J",
                           "a*",
                           "a!1",
                           "a(b",
                           "a#",
                           "a~",
                           "a_1-x.y/z[3]:k=v"}) {
    AddRun(name);
  }
  EXPECT_EQ(Complete({"job", "show", "-n", "a"}), "a_1-x.y/z[3]:k=v\t\n");
}

TEST_F(NamesTest, AreMachinesWhereTheCommandIsAboutMachines) {
  for (const char* name : {"gpu-1", "gpu-2", "cpu-1"}) {
    v1::Machine machine;
    machine.set_name(name);
    server_.machines.machines.push_back(machine);
  }
  EXPECT_EQ(Complete({"machine", "show", "-n", "gpu"}), "gpu-1\t\ngpu-2\t\n");
}

TEST_F(NamesTest, AreStepsOfTheRunThatWasNamed) {
  server_.runs.runs["brave"].add_steps()->set_name("train");
  server_.runs.runs["brave"].add_steps()->set_name("test");
  EXPECT_EQ(Complete({"job", "logs", "-n", "brave", "--step", "tr"}), "train\t\n");
  EXPECT_EQ(Complete({"job", "logs", "-n", "other", "--step", "tr"}), "");
}

}  // namespace
}  // namespace potok::client
