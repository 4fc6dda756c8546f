// Sandboxes: their command lines, and real ones where bubblewrap works.
#include "agent/runtime/sandbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "agent/runtime/run_program.h"

namespace potok::agent {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class SandboxTest : public ::testing::Test {
 protected:
  SandboxTest() {
    std::string name = std::filesystem::temp_directory_path() / "potok-sandbox-XXXXXX";
    folder_ = mkdtemp(name.data());
    for (const char* made : {"state/attempts/1.0.1/work", "state/attempts/2.0.1", "devices"}) {
      std::filesystem::create_directories(folder_ + "/" + made);
    }
    std::ofstream(folder_ + "/state/attempts/2.0.1/secret") << "hidden";
  }
  ~SandboxTest() override { std::filesystem::remove_all(folder_); }

  RuntimeLaunch ALaunch(std::vector<std::string> argv) const {
    RuntimeLaunch launch;
    launch.argv = std::move(argv);
    launch.working_directory = folder_ + "/state/attempts/1.0.1/work";
    launch.environment = {{"PATH", "/usr/bin:/bin"}, {"LD_LIBRARY_PATH", "/evil"}, {"A", "b c"}};
    launch.writable = {launch.working_directory};
    return launch;
  }
  SandboxView AView() const {
    SandboxView view;
    view.program = "/usr/bin/bwrap";
    view.entries = {{"/usr", ""}, {"/bin", "usr/bin"}};
    view.empty_folders = {"/tmp"};
    view.hidden = {"/state"};
    view.devices = folder_ + "/devices";
    view.drivers = folder_ + "/none";
    return view;
  }

  std::string folder_;
};

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += word + " ";
  return text;
}

TEST_F(SandboxTest, ShowsTheSystemThenHidesTheStateThenShowsTheAttempt) {
  RuntimeLaunch launch = ALaunch({"/bin/true", "x"});
  launch.working_directory = "/state/a/work";
  launch.read_only = {"/state/a/inputs"};
  launch.writable = {"/state/a/work"};
  launch.environment.clear();
  const auto command = InSandbox(AView(), launch);
  ASSERT_TRUE(command.ok());
  EXPECT_EQ(Joined(command->argv),
            "/usr/bin/bwrap --unshare-pid --unshare-ipc --unshare-cgroup-try --cap-drop ALL "
            "--ro-bind /usr /usr --symlink usr/bin /bin --proc /proc --dev /dev --tmpfs /tmp "
            "--tmpfs /state --ro-bind /state/a/inputs /state/a/inputs "
            "--bind /state/a/work /state/a/work --chdir /state/a/work -- /bin/true x ");
}

// Found when it was written: bwrap, which is not in the sandbox yet, would load the step's library.
TEST_F(SandboxTest, BwrapItselfLoadsNoLibraryOfTheStep) {
  const auto command = InSandbox(AView(), ALaunch({"/bin/true"}));
  ASSERT_TRUE(command.ok());
  EXPECT_FALSE(command->environment.contains("LD_LIBRARY_PATH"));
  EXPECT_THAT(Joined(command->argv), HasSubstr("--setenv LD_LIBRARY_PATH /evil"));
  EXPECT_EQ(command->environment.at("A"), "b c");
}

TEST_F(SandboxTest, HasOnlyTheGpusThatItWasGivenAndTheNetworkOnlyIfItHasOne) {
  for (const char* name : {"nvidia0", "nvidia1", "nvidia7", "nvidiactl"}) {
    std::ofstream(folder_ + "/devices/" + name) << "";
  }
  std::filesystem::create_directories(folder_ + "/gpus/0000:01:00.0");
  std::ofstream(folder_ + "/gpus/0000:01:00.0/information") << "Model: \t X\nDevice Minor: \t 7\n";
  SandboxView view = AView();
  view.drivers = folder_ + "/gpus";
  RuntimeLaunch launch = ALaunch({"/bin/true"});
  launch.gpus = {0};
  launch.has_network = false;
  const auto command = InSandbox(view, launch);
  ASSERT_TRUE(command.ok());
  EXPECT_THAT(command->argv,
              AllOf(Contains(view.devices + "/nvidia7"),
                    Contains(view.devices + "/nvidiactl"),
                    Contains("--unshare-net"),
                    Not(Contains(view.devices + "/nvidia0"))));
  launch.gpus = {3};
  EXPECT_THAT(InSandbox(view, launch).status().ToString(), HasSubstr("there is no"));
  launch.gpus.clear();
  EXPECT_THAT(InSandbox(view, launch)->argv, Not(Contains(view.devices + "/nvidiactl")));
}

TEST_F(SandboxTest, AVenvOfThePathIsReadableAsAWholeAndTheHomeIsEmpty) {
  std::filesystem::create_directories(folder_ + "/venv/bin");
  std::ofstream(folder_ + "/venv/pyvenv.cfg") << "";
  const auto view = LookForSandbox(folder_ + "/home", {folder_ + "/venv/bin", "/usr/bin"}, "/s");
  if (!view.ok()) GTEST_SKIP() << view.status();
  EXPECT_THAT(view->readable, Contains(folder_ + "/venv"));
  EXPECT_THAT(view->readable, Not(Contains("/usr/bin")));
  EXPECT_THAT(view->empty_folders, Contains(folder_ + "/home"));
}

TEST_F(SandboxTest, InARealOneOthersFilesAreNotThereAndItsOwnAre) {
  const std::string state = folder_ + "/state";
  const auto view = LookForSandbox("/root", {}, state);
  if (!view.ok()) GTEST_SKIP() << view.status();
  if (const absl::Status works = TrySandbox(*view); !works.ok()) GTEST_SKIP() << works;
  const auto command =
      InSandbox(*view,
                ALaunch({"/bin/bash",
                         "-c",
                         "cat " + state +
                             "/attempts/2.0.1/secret 2>&1; touch /usr/x 2>&1; echo own > made; "
                             "echo \"[$A]\"; ls /proc | grep -c '^[0-9]'; grep CapEff "
                             "/proc/self/status; exit 7"}));
  ASSERT_TRUE(command.ok());
  const auto end = RunProgram({.argv = command->argv, .environment = command->environment});
  ASSERT_TRUE(end.ok());
  EXPECT_EQ(end->code, 7) << end->errors;
  EXPECT_THAT(end->output, AllOf(Not(HasSubstr("hidden")), HasSubstr("[b c]")));
  EXPECT_THAT(end->output, HasSubstr("Read-only file system"));
  EXPECT_THAT(end->output, HasSubstr("CapEff:\t0000000000000000"));
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/state/attempts/1.0.1/work/made"));
}

TEST(RunProgramTest, IsEndedWithItsChildrenWhenItIsNotWanted) {
  int asked = 0;
  const auto end = RunProgram(
      {.argv = {"/bin/bash", "-c", "sleep 600 & wait"}, .canceled = [&] { return ++asked > 1; }});
  EXPECT_TRUE(absl::IsCancelled(end.status()));
  EXPECT_TRUE(absl::IsUnavailable(RunProgram({.argv = {"/no/such/program"}}).status()));
}

TEST(RunProgramTest, TellsTheLastWordsInOneLine) {
  const auto end = RunProgram({.argv = {"/bin/bash", "-c", "echo a >&2; echo b >&2; exit 3"}});
  ASSERT_TRUE(end.ok());
  EXPECT_EQ(end->code, 3);
  EXPECT_EQ(LastWords(*end), "a;b");
}

}  // namespace
}  // namespace potok::agent
