// Whole commands against a fake server: what they ask, print and exit with.
#include "client/cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <thread>

#include "tests/client/cli/fake_server.h"

namespace potok::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

v1::StepStatus AStep(int index, const std::string& name, v1::Status status) {
  v1::StepStatus step;
  step.set_index(index);
  step.set_name(name);
  step.set_status(status);
  step.set_attempt(1);
  step.set_machine("gpu-1");
  return step;
}

v1::WatchRunResponse AMessage(std::int64_t revision,
                              v1::Status status,
                              const std::vector<v1::StepStatus>& steps) {
  v1::WatchRunResponse message;
  message.set_revision(revision);
  v1::Run* run = message.mutable_run();
  run->set_name("brave_river");
  run->set_status(status);
  run->set_steps_total(2);
  for (const v1::StepStatus& step : steps) *run->add_steps() = step;
  return message;
}

class CommandLineTest : public testing::Test {
 protected:
  CommandLineTest() {
    context_.environment = {{"POTOK_SERVER", server_.address()}, {"TERM", "xterm"}};
    context_.working_folder = server_.folder();
    context_.program = "/nowhere/potok";
    context_.user = "ann";
    context_.host = "vm";
    context_.out = &out_;
    context_.err = &err_;
    context_.terminal_size = [] { return std::pair<std::size_t, std::size_t>(80, 24); };
    context_.zone = absl::UTCTimeZone();
  }

  int Run(const std::vector<std::string>& words) {
    out_.str("");
    err_.str("");
    return RunCommandLine(words, context_);
  }
  std::string out() const { return out_.str(); }
  std::string err() const { return err_.str(); }

  std::string WriteFile(const std::string& name, const std::string& text) const {
    const std::string path = server_.folder() + "/" + name;
    std::ofstream(path) << text;
    return path;
  }
  std::string AJobFile() const {
    return WriteFile("job.yml",
                     "type: command\ncommand: echo ${{inputs.n}}\n"
                     "environment: azureml:e@latest\ncompute: azureml:c\n"
                     "inputs: {n: {type: integer, default: 1}}\n");
  }
  void CompleteAtOnce() {
    server_.runs.sessions.push_back(
        {{AMessage(1, v1::STATUS_COMPLETED, {AStep(0, "main", v1::STATUS_COMPLETED)})}, {}, false});
  }

  FakeServer server_;
  std::ostringstream out_;
  std::ostringstream err_;
  Context context_;
};

TEST_F(CommandLineTest, TellsItsVersion) {
  EXPECT_EQ(Run({"--version"}), 0);
  EXPECT_THAT(out(), StartsWith("potok 0."));
}

TEST_F(CommandLineTest, ExplainsEveryCommandWithAnExample) {
  const std::vector<std::vector<std::string>> commands = {{},
                                                          {"run"},
                                                          {"up"},
                                                          {"down"},
                                                          {"status"},
                                                          {"job"},
                                                          {"job", "create"},
                                                          {"job", "validate"},
                                                          {"job", "show"},
                                                          {"job", "list"},
                                                          {"job", "stream"},
                                                          {"job", "logs"},
                                                          {"job", "download"},
                                                          {"job", "cancel"},
                                                          {"job", "wait"},
                                                          {"machine"},
                                                          {"machine", "list"},
                                                          {"machine", "show"},
                                                          {"profile"},
                                                          {"profile", "add"},
                                                          {"profile", "list"},
                                                          {"profile", "use"},
                                                          {"profile", "show"},
                                                          {"profile", "remove"},
                                                          {"completion"},
                                                          {"man"}};
  for (std::vector<std::string> words : commands) {
    words.push_back("--help");
    EXPECT_EQ(Run(words), 0);
    EXPECT_THAT(out(), HasSubstr("Example:\n  potok"));
  }
}

TEST_F(CommandLineTest, SuggestsTheNearestCommand) {
  EXPECT_EQ(Run({"job", "craete"}), 2);
  EXPECT_THAT(err(), HasSubstr("did you mean `potok job create`?"));
  EXPECT_EQ(Run({"machnie"}), 2);
  EXPECT_THAT(err(), HasSubstr("did you mean `potok machine`?"));
  EXPECT_EQ(Run({"frobnicate"}), 2);
  EXPECT_THAT(err(), HasSubstr("see `potok --help`"));
}

TEST_F(CommandLineTest, RefusesWrongOptionsWithExitCode2) {
  EXPECT_EQ(Run({}), 2);
  EXPECT_EQ(Run({"job", "show"}), 2);
  EXPECT_THAT(err(), HasSubstr("See `potok job show --help`"));
  EXPECT_EQ(Run({"job", "list", "-o", "xml"}), 2);
  EXPECT_EQ(Run({"job", "list", "--status", "Finished"}), 2);
  EXPECT_EQ(Run({"run"}), 2);
  EXPECT_EQ(Run({"run", "file.yml", "--", "ls"}), 2);
}

TEST_F(CommandLineTest, SubmitsAFileWithItsChanges) {
  server_.runs.runs["brave_river"].set_name("brave_river");
  EXPECT_EQ(Run({"job",
                 "create",
                 "-f",
                 AJobFile(),
                 "-n",
                 "mine",
                 "--set",
                 "inputs.n=5",
                 "display_name=Five",
                 "-g",
                 "group",
                 "-w",
                 "space",
                 "--query",
                 "name",
                 "-o",
                 "tsv"}),
            0)
      << err();
  EXPECT_EQ(out(), "brave_river\n");
  EXPECT_EQ(server_.runs.created.name(), "mine");
  EXPECT_EQ(server_.runs.created.display_name(), "Five");
  ASSERT_EQ(server_.runs.created.steps_size(), 1);
}

TEST_F(CommandLineTest, SubmitsTheSameRequestAgainWhileTheServerIsAway) {
  server_.runs.creates_that_fail = 2;
  CompleteAtOnce();
  EXPECT_EQ(Run({"run", AJobFile(), "--detach"}), 0) << err();
  EXPECT_EQ(out(), "brave_river\n");
  ASSERT_EQ(server_.runs.request_ids.size(), 3U);
  EXPECT_EQ(server_.runs.request_ids[0], server_.runs.request_ids[2]);
  EXPECT_THAT(server_.runs.request_ids[0], Not(IsEmpty()));
}

TEST_F(CommandLineTest, PrintsWhatIsWrongWithAFileAndSubmitsNothing) {
  const std::string file = WriteFile("bad.yml", "type: pipeline\njobs:\n  a:\n    comand: x\n");
  EXPECT_EQ(Run({"job", "create", "-f", file}), 2);
  EXPECT_THAT(err(), HasSubstr("bad.yml:4"));
  EXPECT_THAT(server_.runs.request_ids, IsEmpty());
  EXPECT_EQ(Run({"job", "validate", "-f", file, "-o", "json"}), 2);
  EXPECT_THAT(out(), HasSubstr("\"result\": \"Failed\""));
  EXPECT_EQ(Run({"job", "validate", "-f", AJobFile()}), 0) << out();
}

TEST_F(CommandLineTest, PassesOnWhatTheServerFindsWrong) {
  server_.runs.create_status = {grpc::StatusCode::INVALID_ARGUMENT, "jobs.a: too large\njobs.b: x"};
  EXPECT_EQ(Run({"job", "create", "-f", AJobFile()}), 2);
  EXPECT_EQ(err(), "potok: jobs.a: too large\njobs.b: x\n");
}

TEST_F(CommandLineTest, RunsACommandExactlyAsItWasGiven) {
  CompleteAtOnce();
  WriteFile("data.csv", "1\n");
  EXPECT_EQ(Run({"run",
                 "--memory",
                 "8GiB",
                 "--cpus",
                 "0.5",
                 "--gpus",
                 "1",
                 "--input",
                 "url=https://example.org/x",
                 "--input",
                 "n=3",
                 "--output",
                 "model",
                 "--env",
                 "A=b c",
                 "--gpu-model",
                 "A100",
                 "--gpu-memory",
                 "40GiB",
                 "--disk",
                 "1GiB",
                 "--resource",
                 "fpga=2",
                 "--labels",
                 "zone == a",
                 "--name",
                 "mine",
                 "--",
                 "python",
                 "train it.py",
                 "${{inputs.n}}",
                 "--help"}),
            0)
      << err();
  const v1::PipelineSpec& spec = server_.runs.created;
  EXPECT_EQ(spec.name(), "mine");
  EXPECT_FALSE(spec.is_pipeline());
  ASSERT_EQ(spec.steps_size(), 1);
  const v1::Step& step = spec.steps(0);
  EXPECT_EQ(step.command(), "python 'train it.py' ${{inputs.n}} --help");
  EXPECT_EQ(step.resources().memory_bytes(), std::int64_t{8} << 30);
  EXPECT_EQ(step.resources().cpu_millis(), 500);
  EXPECT_EQ(step.resources().gpu_millis(), 1000);
  EXPECT_EQ(step.resources().disk_bytes(), std::int64_t{1} << 30);
  EXPECT_EQ(step.resources().named().at("fpga"), 2);
  EXPECT_THAT(step.gpu_models(), ElementsAre("A100"));
  EXPECT_EQ(step.gpu_memory_bytes(), std::int64_t{40} << 30);
  EXPECT_EQ(step.label_expression(), "zone == a");
  EXPECT_EQ(step.environment_variables().at("A"), "b c");
  ASSERT_EQ(step.inputs_size(), 2);
  EXPECT_EQ(step.inputs(0).value().uri(), "https://example.org/x");
  EXPECT_EQ(step.inputs(1).value().text(), "3");
  EXPECT_EQ(step.outputs(0).name(), "model");
  EXPECT_FALSE(step.has_code());
}

TEST_F(CommandLineTest, TakesAMisspeltPathForNoText) {
  EXPECT_EQ(Run({"run", "--input", "data=./dta", "--", "ls"}), 2);
  EXPECT_THAT(err(), HasSubstr("there is no file or folder"));
}

TEST_F(CommandLineTest, PrintsALineForEachChangeWhenItFollows) {
  v1::StepStatus failed = AStep(1, "train", v1::STATUS_FAILED);
  failed.set_exit_code(3);
  failed.set_reason("exit code 3");
  server_.runs.logs["train"] = "one\ntwo\nno newline";
  server_.runs.sessions = {
      {{AMessage(1,
                 v1::STATUS_RUNNING,
                 {AStep(0, "prep", v1::STATUS_RUNNING), AStep(1, "train", v1::STATUS_NOT_STARTED)}),
        AMessage(2, v1::STATUS_RUNNING, {AStep(0, "prep", v1::STATUS_COMPLETED)}),
        AMessage(3, v1::STATUS_FAILED, {failed})},
       {},
       false}};
  EXPECT_EQ(Run({"run", AJobFile()}), 1);
  EXPECT_EQ(err(), "Run brave_river\n");
  EXPECT_THAT(out(), HasSubstr(" prep  Running  on gpu-1\n"));
  EXPECT_THAT(out(), HasSubstr(" prep  Completed\n"));
  EXPECT_THAT(out(), HasSubstr(" train  Failed  exit code 3\n"));
  EXPECT_THAT(out(), HasSubstr("  one\n  two\n  no newline\n"));
  EXPECT_THAT(out(), HasSubstr("brave_river  Failed"));
  EXPECT_THAT(out(), Not(HasSubstr("NotStarted\n2")));
}

TEST_F(CommandLineTest, GoesOnFollowingWhereTheLineWasCut) {
  server_.runs.sessions = {
      {{AMessage(7, v1::STATUS_RUNNING, {AStep(0, "prep", v1::STATUS_RUNNING)})},
       {grpc::StatusCode::UNAVAILABLE, "shutting down"},
       false},
      {{}, {grpc::StatusCode::UNAVAILABLE, "starting"}, false},
      {{AMessage(9, v1::STATUS_COMPLETED, {AStep(0, "prep", v1::STATUS_COMPLETED)})}, {}, false}};
  EXPECT_EQ(Run({"job", "stream", "-n", "brave_river"}), 0);
  EXPECT_THAT(server_.runs.watched_after, ElementsAre(0, 7, 7));
  EXPECT_THAT(out(), HasSubstr("The line to the server was cut (shutting down)"));
  EXPECT_THAT(out(), HasSubstr("The server is back"));
}

// A run that had ended before it was followed: its stream stayed open, and so did the command.
TEST_F(CommandLineTest, EndsWithTheRunEvenIfTheStreamDoesNot) {
  server_.runs.sessions = {
      {{AMessage(1, v1::STATUS_FAILED, {AStep(0, "main", v1::STATUS_FAILED)})}, {}, true}};
  EXPECT_EQ(Run({"run", "--", "false"}), 1);
  EXPECT_EQ(Run({"run", "-h"}), 0);
  EXPECT_THAT(out(), HasSubstr("--gpus N  "));
}

TEST_F(CommandLineTest, StreamsLogsBehindTheNamesOfTheirSteps) {
  v1::StepStatus prep = AStep(0, "prep", v1::STATUS_RUNNING);
  prep.set_started_us(1);
  server_.runs.logs["prep"] = "hello\nworld\n";
  server_.runs.sessions = {
      {{AMessage(1, v1::STATUS_RUNNING, {prep}),
        AMessage(2, v1::STATUS_COMPLETED, {AStep(0, "prep", v1::STATUS_COMPLETED)})},
       {},
       false}};
  EXPECT_EQ(Run({"job", "stream", "-n", "brave_river"}), 0);
  // Changes of state may come between the lines.
  EXPECT_THAT(out(), HasSubstr("\nprep | hello\n"));
  EXPECT_THAT(out(), HasSubstr("\nprep | world\n"));
  EXPECT_LT(out().find("hello"), out().find("world"));
}

TEST_F(CommandLineTest, LeavesTheRunGoingOnCtrlC) {
  server_.runs.sessions = {
      {{AMessage(1, v1::STATUS_RUNNING, {AStep(0, "prep", v1::STATUS_RUNNING)})}, {}, true}};
  std::stop_source interrupt;
  context_.interrupted = interrupt.get_token();
  std::thread person([&] {
    while (!server_.runs.watching) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    interrupt.request_stop();
  });
  EXPECT_EQ(Run({"run", AJobFile()}), 130);
  person.join();
  EXPECT_THAT(err(), HasSubstr("The run brave_river goes on"));
  EXPECT_THAT(err(), HasSubstr("potok job cancel -n brave_river"));
  EXPECT_THAT(server_.runs.canceled, IsEmpty());
}

TEST_F(CommandLineTest, DrawsInPlaceOnATerminal) {
  context_.out_is_terminal = true;
  server_.runs.sessions = {
      {{AMessage(1, v1::STATUS_RUNNING, {AStep(0, "prep", v1::STATUS_RUNNING)}),
        AMessage(2, v1::STATUS_COMPLETED, {AStep(0, "prep", v1::STATUS_COMPLETED)})},
       {},
       false}};
  EXPECT_EQ(Run({"run", AJobFile()}), 0);
  EXPECT_THAT(out(), HasSubstr("\x1b[2A\r\x1b[J"));
  EXPECT_THAT(out(), HasSubstr("  prep  \x1b[32mCompleted      \x1b[0m"));
  context_.environment["NO_COLOR"] = "1";
  server_.runs.watched_after.clear();
  EXPECT_EQ(Run({"run", AJobFile()}), 0);
  EXPECT_THAT(out(), HasSubstr("  prep  Completed "));
  EXPECT_THAT(out(), Not(HasSubstr("\x1b[32m")));
}

TEST_F(CommandLineTest, WaitsForTheEnd) {
  CompleteAtOnce();
  EXPECT_EQ(Run({"job", "wait", "-n", "brave_river"}), 0);
  EXPECT_EQ(out(), "Completed\n");
  server_.runs.sessions.push_back(
      {{AMessage(1, v1::STATUS_RUNNING, {AStep(0, "prep", v1::STATUS_RUNNING)})}, {}, true});
  EXPECT_EQ(Run({"job", "wait", "-n", "brave_river", "--timeout", "0.1"}), 1);
  EXPECT_THAT(err(), HasSubstr("after 0.1 seconds"));
}

TEST_F(CommandLineTest, SaysWhatToDoAboutARunThatDoesNotExist) {
  EXPECT_EQ(Run({"job", "stream", "-n", "nothing"}), 1);
  EXPECT_EQ(err(), "potok: no run nothing\n");
  EXPECT_EQ(Run({"job", "show", "-n", "nothing"}), 1);
}

TEST_F(CommandLineTest, ListsRunsOverSeveralPages) {
  server_.runs.page_max = 2;
  for (const char* name : {"c", "b", "a"}) {
    v1::Run run;
    run.set_name(name);
    run.set_status(v1::STATUS_COMPLETED);
    run.set_created_us(1'700'000'000'000'000);
    run.set_steps_total(1);
    run.set_steps_completed(1);
    server_.runs.listed.push_back(run);
  }
  EXPECT_EQ(Run({"job", "list", "--status", "completed", "--experiment", "e"}), 0);
  EXPECT_EQ(out(),
            "NAME  STATE      STEPS  CREATED              TIME  EXPERIMENT  DISPLAY NAME\n"
            "----  ---------  -----  -------------------  ----  ----------  ------------\n"
            "c     Completed  1/1    2023-11-14 22:13:20\n"
            "b     Completed  1/1    2023-11-14 22:13:20\n"
            "a     Completed  1/1    2023-11-14 22:13:20\n");
  EXPECT_EQ(server_.runs.list_requests[0].experiment_name(), "e");
  EXPECT_EQ(server_.runs.list_requests[0].status(0), v1::STATUS_COMPLETED);
  EXPECT_EQ(Run({"job", "list", "-r", "1", "--query", "[].name", "-o", "tsv"}), 0);
  EXPECT_EQ(out(), "c\n");
}

TEST_F(CommandLineTest, ColoursStatesForPeopleOrWhereItIsToldTo) {
  v1::Run run;
  run.set_name("a");
  run.set_status(v1::STATUS_FAILED);
  server_.runs.listed.push_back(run);
  const auto is_coloured = [&](const std::vector<std::string>& options) {
    std::vector<std::string> words = {"job", "list"};
    words.insert(words.end(), options.begin(), options.end());
    EXPECT_EQ(Run(words), 0);
    context_.color = "auto";
    return out().find("\x1b[31mFailed\x1b[0m") != std::string::npos;
  };
  EXPECT_FALSE(is_coloured({}));
  EXPECT_TRUE(is_coloured({"--color", "always"}));
  context_.environment["CLICOLOR_FORCE"] = "1";
  EXPECT_TRUE(is_coloured({}));
  EXPECT_FALSE(is_coloured({"--color=never"}));
  EXPECT_TRUE(is_coloured({"--query", "[].{Status:status}", "-o", "table"}));
  EXPECT_FALSE(is_coloured({"--query", "[].status", "-o", "tsv"}));
  context_.environment["NO_COLOR"] = "1";
  EXPECT_FALSE(is_coloured({}));
  context_.environment.erase("CLICOLOR_FORCE");
  context_.out_is_terminal = true;
  EXPECT_FALSE(is_coloured({}));
  context_.environment.erase("NO_COLOR");
  EXPECT_TRUE(is_coloured({}));
  context_.environment["TERM"] = "dumb";
  EXPECT_FALSE(is_coloured({}));
}

TEST_F(CommandLineTest, AsksTheServerForFilteredRuns) {
  const absl::Time before = absl::Now();
  const std::vector<std::string> filters = {
      "--submitter=ann", "--name-prefix=br", "--tag=team=a=b"};
  EXPECT_EQ(Run({"job", "list", filters[0], filters[1], filters[2], "--tag=x=", "--since=2h"}), 0);
  ASSERT_EQ(server_.runs.list_requests.size(), 1U);
  const v1::ListRunsRequest& request = server_.runs.list_requests[0];
  EXPECT_EQ(request.submitter(), "ann");
  EXPECT_EQ(request.name_prefix(), "br");
  EXPECT_EQ(request.tags().at("team"), "a=b");
  EXPECT_EQ(request.tags().at("x"), "");
  EXPECT_GE(absl::FromUnixMicros(request.created_after_us() + 1), before - absl::Hours(2));
  EXPECT_LE(absl::FromUnixMicros(request.created_after_us()), absl::Now() - absl::Hours(2));
  EXPECT_EQ(request.archived(), v1::ARCHIVED_RUNS_UNSPECIFIED);
  EXPECT_EQ(Run({"job", "list", "--archived-only", "--text", "wide", "--until", "1h"}), 0);
  ASSERT_EQ(server_.runs.list_requests.size(), 2U);
  const v1::ListRunsRequest& archived = server_.runs.list_requests[1];
  EXPECT_EQ(archived.archived(), v1::ARCHIVED_RUNS_ONLY);
  EXPECT_EQ(archived.text(), "wide");
  EXPECT_LE(absl::FromUnixMicros(archived.created_before_us()), absl::Now() - absl::Hours(1));
  EXPECT_EQ(Run({"job", "list", "--include-archived", "--archived-only"}), 2);
  EXPECT_EQ(Run({"job", "list", "--tag", "a=1", "--tag", "a=2"}), 2);
  EXPECT_EQ(server_.runs.list_requests.size(), 2U);
}

TEST_F(CommandLineTest, CancelsARun) {
  server_.runs.runs["brave_river"].set_status(v1::STATUS_RUNNING);
  EXPECT_EQ(Run({"job", "cancel", "-n", "brave_river"}), 0);
  EXPECT_THAT(server_.runs.canceled, ElementsAre("brave_river"));
  EXPECT_THAT(err(), HasSubstr("Asked the run brave_river to stop"));
}

TEST_F(CommandLineTest, SaysThatARunHasEndedInsteadOfCancelingIt) {
  server_.runs.runs["brave_river"].set_status(v1::STATUS_COMPLETED);
  EXPECT_EQ(Run({"job", "cancel", "-n", "brave_river"}), 0);
  EXPECT_THAT(server_.runs.canceled, IsEmpty());
  EXPECT_THAT(err(), HasSubstr("brave_river has ended already: Completed"));
}

TEST_F(CommandLineTest, PrintsLogsWholeOrTheirEnd) {
  v1::Run& run = server_.runs.runs["brave_river"];
  *run.add_steps() = AStep(0, "main", v1::STATUS_COMPLETED);
  server_.runs.logs["main"] = "one\ntwo\nthree\n";
  EXPECT_EQ(Run({"job", "logs", "-n", "brave_river"}), 0);
  EXPECT_EQ(out(), "one\ntwo\nthree\n");
  EXPECT_EQ(Run({"job", "logs", "-n", "brave_river", "--tail", "2"}), 0);
  EXPECT_EQ(out(), "two\nthree\n");
  EXPECT_EQ(Run({"job", "logs", "-n", "brave_river", "--offset", "4"}), 0);
  EXPECT_EQ(out(), "two\nthree\n");
  context_.out_is_terminal = true;
  server_.runs.logs["main"] = "\x1b[2Jboo\n";
  EXPECT_EQ(Run({"job", "logs", "-n", "brave_river"}), 0);
  EXPECT_EQ(out(), "\\x1b[2Jboo\n");
}

TEST_F(CommandLineTest, DownloadsLogsAndTextsWithoutOverwriting) {
  v1::Run& run = server_.runs.runs["brave_river"];
  run.set_name("brave_river");
  run.set_status(v1::STATUS_RUNNING);
  run.set_is_pipeline(true);
  v1::StepStatus step = AStep(0, "main", v1::STATUS_COMPLETED);
  step.set_log_bytes(4);
  *run.add_steps() = step;
  v1::OutputValue* score = run.add_outputs();
  score->set_name("score");
  score->set_text("0.9");
  server_.runs.logs["main"] = "one\n";
  EXPECT_EQ(Run({"job", "download", "-n", "brave_river", "-p", "got", "--all"}), 1);
  EXPECT_THAT(err(), HasSubstr("is Running: wait for it"));
  run.set_status(v1::STATUS_COMPLETED);
  EXPECT_EQ(Run({"job", "download", "-n", "brave_river", "-p", "got", "--all"}), 0) << err();
  const auto content = [&](const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(server_.folder() + "/got/" + path).rdbuf();
    return text.str();
  };
  EXPECT_EQ(content("artifacts/user_logs/std_log.txt"), "one\n");
  EXPECT_EQ(content("named-outputs/score/score"), "0.9");
  EXPECT_EQ(Run({"job", "download", "-n", "brave_river", "-p", "got"}), 1);
  EXPECT_THAT(err(), HasSubstr("is there already"));
  EXPECT_EQ(Run({"job", "download", "-n", "brave_river", "--output-name", "modle"}), 1);
  EXPECT_THAT(err(), HasSubstr("has no output modle; it has: score"));
}

TEST_F(CommandLineTest, SaysWhatItTriedWhenThereIsNoServer) {
  context_.environment = {{"POTOK_HOME", server_.folder() + "/home"}};
  EXPECT_EQ(Run({"job", "list"}), 3);
  EXPECT_THAT(err(), HasSubstr("unix:" + server_.folder() + "/home/server.sock"));
  EXPECT_THAT(err(), HasSubstr("potok up"));
  EXPECT_EQ(Run({"job", "list", "--server", "nonsense"}), 2);
  EXPECT_EQ(Run({"status"}), 3);
  EXPECT_THAT(out(), HasSubstr("Nothing runs at"));
  EXPECT_EQ(Run({"down"}), 0);
}

TEST_F(CommandLineTest, FindsTheServerInTheConfigurationFile) {
  std::filesystem::create_directories(server_.folder() + "/config/potok");
  WriteFile("config/potok/config.yml", "server: " + server_.address() + "\n");
  context_.environment = {{"XDG_CONFIG_HOME", server_.folder() + "/config"}};
  EXPECT_EQ(Run({"job", "list"}), 0);
  EXPECT_EQ(out(), "No runs\n");
}

}  // namespace
}  // namespace potok::client
