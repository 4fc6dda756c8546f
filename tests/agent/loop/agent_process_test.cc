// The program potok-agent against a server in this process: real processes, files and streams.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sstream>

#include "common/cas/tree.h"
#include "common/rpc/pipeline_convert.h"
#include "tests/agent/loop/fake_server.h"
#include "tests/agent/loop/fakes.h"

namespace potok::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class AgentProcess {
 public:
  AgentProcess(const FakeServer& server, const std::string& state, const std::string& on_stop) {
    std::vector<std::string> arguments{POTOK_AGENT,
                                       "--server=" + server.address(),
                                       "--name=gpu-3",
                                       "--state=" + state,
                                       "--label=disk=nvme",
                                       "--label=rack=7",
                                       "--pool=gpu-cluster",
                                       "--on-stop=" + on_stop,
                                       "--log-level=warn"};
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    process_ = fork();
    POTOK_CHECK(process_ >= 0);
    if (process_ > 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // does not outlive a test that is killed
    execv(POTOK_AGENT, argv.data());
    _exit(127);
  }
  ~AgentProcess() {
    if (process_ != 0) Signal(SIGKILL);
  }
  // Ends it, and returns its exit code, or minus the signal.
  int Signal(int signal) {
    kill(process_, signal);
    return Wait();
  }
  int Wait() {
    int status = 0;
    POTOK_CHECK(waitpid(process_, &status, 0) == process_);
    process_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  pid_t process_ = 0;
};

class AgentProcessTest : public ::testing::Test {
 protected:
  AgentProcess AnAgent(const std::string& on_stop = "kill") {
    return {server_, folder_.path() + "/state", on_stop};
  }
  static v1::StartAttempt ACommand(const std::string& command) {
    v1::StartAttempt start;
    start.set_run("calm_lake");
    start.set_step("train");
    start.set_command(command);
    return start;
  }
  static void AddOutput(v1::StartAttempt& start, const std::string& name, v1::ValueType type) {
    v1::Output& output = *start.add_outputs();
    output.set_name(name);
    output.set_type(type);
  }
  // The files of a stored artifact, each as "path=content".
  std::vector<std::string> FilesOf(const Artifact& artifact) {
    const std::string place = folder_.path() + "/laid-" + artifact.digest.Hex().substr(0, 8);
    POTOK_CHECK(LayOut(server_.blobs(), artifact, place, true).ok());
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(place)) {
      if (!entry.is_regular_file()) continue;
      std::ostringstream content;
      content << std::ifstream(entry.path()).rdbuf();
      files.push_back(std::filesystem::relative(entry.path(), place).string() + "=" +
                      content.str());
    }
    return files;
  }
  bool IsClean() { return std::filesystem::is_empty(folder_.path() + "/state/attempts"); }

  TempFolder folder_;
  FakeServer server_{folder_.path() + "/blobs", folder_.path() + "/server.sock"};
};

TEST_F(AgentProcessTest, IntroducesItsMachine) {
  AgentProcess agent = AnAgent();
  ASSERT_TRUE(server_.Await([&] { return server_.heartbeats >= 2; }));
  const v1::Hello& hello = server_.hellos.at(0);
  EXPECT_EQ(hello.machine(), "gpu-3");
  EXPECT_GT(hello.capacity().memory_bytes(), 0);
  EXPECT_EQ(hello.labels().at("disk"), "nvme");
  EXPECT_EQ(hello.labels().at("rack"), "7");
  EXPECT_THAT(hello.pools(), ::testing::ElementsAre("gpu-cluster"));
}

TEST_F(AgentProcessTest, RunsACommandAndShipsItsLog) {
  AgentProcess agent = AnAgent();
  server_.Order(kKey, ACommand("echo to the log; echo and of errors >&2"));
  EXPECT_EQ(server_.AwaitLog(kKey), "to the log\nand of errors\n");
  const auto end = std::get<SucceededReport>(server_.AwaitEnd(kKey));
  EXPECT_EQ(end.log_bytes, 25);
  ASSERT_TRUE(end.usage.has_value());
  EXPECT_GT(end.usage->peak_memory_bytes, 0);
  EXPECT_GT(end.usage->wall_time, absl::ZeroDuration());
}

TEST_F(AgentProcessTest, HandsOverInputsAndStoresWhatACommandLeaves) {
  const std::string source = folder_.path() + "/source";
  WriteText(source + "/data/a.csv", "1,2\n");
  const Snapshot data = *SnapshotFolder(source + "/data", {});
  WriteText(source + "/code/train.sh", "cat \"$1/a.csv\" > \"$2/model.txt\"; echo 0.93 > \"$3\"\n");
  const Snapshot code = *SnapshotFolder(source + "/code", {});
  ASSERT_TRUE(PutSnapshot(server_.blobs(), data).ok());
  ASSERT_TRUE(PutSnapshot(server_.blobs(), code).ok());

  v1::StartAttempt start = ACommand(
      "bash train.sh ${{inputs.data}} ${{outputs.model}} ${{outputs.auc}} && "
      "echo '${{inputs.note}}' > outputs/note.txt");
  *start.mutable_code() = ToProto(code.artifact);
  v1::AttemptInput& input = *start.add_inputs();
  input.set_name("data");
  input.set_type(v1::VALUE_TYPE_URI_FOLDER);
  *input.mutable_artifact() = ToProto(data.artifact);
  v1::AttemptInput& note = *start.add_inputs();
  note.set_name("note");
  note.set_type(v1::VALUE_TYPE_STRING);
  note.set_text("it's $(touch canary) \"quoted\" `x` \\ ${HOME}");
  AddOutput(start, "model", v1::VALUE_TYPE_URI_FOLDER);
  AddOutput(start, "auc", v1::VALUE_TYPE_NUMBER);
  AgentProcess agent = AnAgent();
  server_.Order(kKey, start);

  const ReportEvent end = server_.AwaitEnd(kKey);
  ASSERT_TRUE(std::holds_alternative<SucceededReport>(end))
      << std::get<FailedReport>(end).message << server_.logs[kKey];
  const std::vector<OutputValue>& outputs = std::get<SucceededReport>(end).outputs;
  ASSERT_THAT(outputs, SizeIs(3));
  EXPECT_THAT(FilesOf(std::get<Artifact>(outputs[0].value)),
              UnorderedElementsAre("model.txt=1,2\n"));
  EXPECT_EQ(std::get<std::string>(outputs[1].value), "0.93");
  EXPECT_EQ(outputs[2].name, "default");
  EXPECT_THAT(
      FilesOf(std::get<Artifact>(outputs[2].value)),
      UnorderedElementsAre("outputs/note.txt=it's $(touch canary) \"quoted\" `x` \\ ${HOME}\n"));
}

TEST_F(AgentProcessTest, FailsAStepThatDidNotWriteItsOutput) {
  v1::StartAttempt start = ACommand("/bin/true");
  AddOutput(start, "table", v1::VALUE_TYPE_URI_FILE);
  AgentProcess agent = AnAgent();
  server_.Order(kKey, start);
  const auto failure = std::get<FailedReport>(server_.AwaitEnd(kKey));
  EXPECT_EQ(failure.cause, FailureCause::kOutput);
  EXPECT_THAT(failure.message, HasSubstr("\"table\" is missing"));
}

TEST_F(AgentProcessTest, StopsACommandThatIgnoresTheFirstSignal) {
  AgentProcess agent = AnAgent();
  server_.Order(kKey, ACommand("trap '' TERM; echo ready; while :; do sleep 0.05; done"));
  ASSERT_TRUE(server_.Await([&] { return server_.logs[kKey] == "ready\n"; }))
      << "what a running step writes is shipped while it runs";
  server_.Stop(kKey, absl::Milliseconds(200));
  EXPECT_TRUE(std::holds_alternative<StoppedReport>(server_.AwaitEnd(kKey)));
}

TEST_F(AgentProcessTest, LosesNothingWhenItIsKilledWhileAStepRuns) {
  const std::string go = folder_.path() + "/go";
  {
    AgentProcess agent = AnAgent();
    server_.Order(kKey,
                  ACommand("echo first; until test -e " + go + "; do sleep 0.02; done; echo last"));
    ASSERT_TRUE(server_.Await([&] { return server_.logs[kKey] == "first\n"; }));
    EXPECT_EQ(agent.Signal(SIGKILL), -SIGKILL);
  }
  AgentProcess next = AnAgent();
  ASSERT_TRUE(server_.Await([&] { return server_.hellos.size() == 2; }));
  EXPECT_THAT(server_.hellos[1].live(), SizeIs(1));
  WriteText(go, "");
  EXPECT_EQ(server_.AwaitLog(kKey), "first\nlast\n");
  EXPECT_TRUE(std::holds_alternative<SucceededReport>(server_.AwaitEnd(kKey)));
}

TEST_F(AgentProcessTest, ReportsAnEndToAServerThatWasAwayMeanwhile) {
  const std::string go = folder_.path() + "/go";
  AgentProcess agent = AnAgent();
  server_.Order(kKey,
                ACommand("echo up; until test -e " + go + "; do sleep 0.02; done; echo $((6*7))"));
  ASSERT_TRUE(server_.Await([&] { return server_.logs[kKey] == "up\n"; }));
  server_.End();
  WriteText(go, "");
  server_.Begin();
  EXPECT_EQ(server_.AwaitLog(kKey), "up\n42\n");
  EXPECT_TRUE(std::holds_alternative<SucceededReport>(server_.AwaitEnd(kKey)));
}

TEST_F(AgentProcessTest, LeavesNothingBehindWhenItIsToldToEndItsSteps) {
  AgentProcess agent = AnAgent("kill");
  server_.Order(kKey, ACommand("echo up; sleep 1000"));
  ASSERT_TRUE(server_.Await([&] { return server_.logs[kKey] == "up\n"; }));
  EXPECT_EQ(agent.Signal(SIGTERM), 0);
  EXPECT_TRUE(server_.Await([&] { return server_.goodbye; }));
  EXPECT_EQ(std::get<FailedReport>(server_.AwaitEnd(kKey)).cause, FailureCause::kMachineLost);
}

TEST_F(AgentProcessTest, RunsManySmallStepsAndCleansUp) {
  constexpr std::uint32_t kCount = 200;
  AgentProcess agent = AnAgent();
  for (std::uint32_t i = 0; i < kCount; ++i) server_.Order({1, i, 1}, ACommand("/bin/true"));
  ASSERT_TRUE(server_.Await([&] { return server_.ends.size() == kCount; }));
  for (const auto& [key, end] : server_.ends) {
    const auto* succeeded = std::get_if<SucceededReport>(&end);
    ASSERT_NE(succeeded, nullptr) << ToString(key);
    EXPECT_EQ(succeeded->log_bytes, 0) << ToString(key);
  }
  EXPECT_EQ(agent.Signal(SIGTERM), 0);
}

}  // namespace
}  // namespace potok::agent
