#include "agent/domain/step_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/domain/simple_command.h"
#include "tests/agent/domain/builders.h"

namespace potok::agent {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;

const AttemptPaths kPaths("/state/attempts/7.3.2");

std::optional<std::string> Found(const std::string& program, const std::string&) {
  return "/usr/bin/" + program;
}
std::optional<std::string> NotFound(const std::string&, const std::string&) {
  return std::nullopt;
}

StepCommand Render(const AttemptOrder& order, const FindProgram& find = Found) {
  StepSurroundings surroundings;
  surroundings.home = "/home/ada";
  surroundings.user = "ada";
  return *RenderStep(order, kPaths, surroundings, find);
}

void ExpectVariables(const std::map<std::string, std::string>& environment,
                     const std::map<std::string, std::string>& expected) {
  for (const auto& variable : expected) EXPECT_THAT(environment, Contains(variable));
}

TEST(SimpleCommandTest, KnowsWhatNeedsNoShell) {
  const std::vector<std::string> plain = {
      "python train.py --lr=0.1 -v", "/bin/true", " make\t-j2 a/b:c@d,e+f%g ", "true1", "ls\n"};
  for (const std::string& command : plain) EXPECT_TRUE(PlainWords(command)) << command;
  EXPECT_THAT(*PlainWords("  a\t b \n"), ElementsAre("a", "b"));
}

TEST(SimpleCommandTest, LeavesTheRestToTheShell) {
  const std::vector<std::string> shell = {
      "",          " ",        "echo hi", "true",  "cd src",   "A=1 python x", "a | b",
      "a && b",    "a; b",     "a\nb",    "a > f", "a $HOME",  "a \"b\"",      "a 'b'",
      "a *.csv",   "a ~/x",    "a {1,2}", "a # b", "a \\\n b", "if x",         "while x",
      "time make", ". env.sh", ": x",     "%1",    "a `b`",    "exec python",  "a ${{inputs.x}}",
      "[ a = b ]", "! a"};
  for (const std::string& command : shell) EXPECT_FALSE(PlainWords(command)) << command;
}

TEST(StepCommandTest, ExecutesAPlainCommandWithoutAShell) {
  const StepCommand step = Render(AnOrder("python train.py --lr=0.1"));
  EXPECT_THAT(step.argv, ElementsAre("/usr/bin/python", "train.py", "--lr=0.1"));
  EXPECT_EQ(step.script, std::nullopt);
}

TEST(StepCommandTest, LeavesAProgramThatIsNotFoundToTheShellAndItsMessage) {
  const StepCommand step = Render(AnOrder("pyhton train.py"), NotFound);
  EXPECT_THAT(step.argv,
              ElementsAre("/bin/bash", "--noprofile", "--norc", "/state/attempts/7.3.2/script"));
  EXPECT_EQ(step.script, "pyhton train.py");
}

TEST(StepCommandTest, PassesValuesThroughTheEnvironment) {
  AttemptOrder order = AnOrder("python train.py --lr ${{inputs.lr}} --out ${{outputs.model}}");
  order.inputs = {AText("lr", "0.1; rm -rf /")};
  order.outputs = {AnOutput("model", ValueType::kUriFolder)};
  const StepCommand step = Render(order);
  EXPECT_THAT(*step.script, Not(::testing::HasSubstr("rm -rf")));
  EXPECT_THAT(step.environment, Contains(Pair(::testing::_, "0.1; rm -rf /")));
  EXPECT_THAT(step.environment, Contains(Pair(::testing::_, kPaths.folder + "/outputs/model")));
}

TEST(StepCommandTest, LaysInputsAndOutputsWhereTheirTypesSay) {
  EXPECT_EQ(kPaths.Input(AFolder("data")), kPaths.folder + "/inputs/data");
  EXPECT_EQ(kPaths.Input(AFile("table", "a.csv")), kPaths.folder + "/inputs/table/a.csv");
  EXPECT_EQ(kPaths.Input(AFile("table", "")), kPaths.folder + "/inputs/table/table");
  EXPECT_EQ(kPaths.OutputPath(AnOutput("m", ValueType::kMlflowModel)), kPaths.outputs() + "/m");
  EXPECT_EQ(kPaths.OutputPath(AnOutput("t", ValueType::kUriFile)), kPaths.outputs() + "/t/t");
  EXPECT_EQ(kPaths.OutputPath(AnOutput("auc", ValueType::kNumber)), kPaths.outputs() + "/auc");
  EXPECT_EQ(kPaths.OutputPath(AnOutput("artifacts", ValueType::kUriFolder)), kPaths.work());
  EXPECT_EQ(kPaths.OutputPath(AnOutput("artifacts", ValueType::kUriFolder, "azureml://x")),
            kPaths.outputs() + "/artifacts");
}

TEST(StepCommandTest, GivesAStepAzureMlsVariablesAndNothingOfTheAgents) {
  setenv("POTOK_TEST_SECRET", "x", 1);
  AttemptOrder order = AnOrder();
  order.inputs = {AFolder("data"), AText("lr", "0.1")};
  const auto environment = Render(order).environment;
  ExpectVariables(environment,
                  {{"AZUREML_RUN_ID", "calm_lake_train"},
                   {"AZUREML_ROOT_RUN_ID", "calm_lake"},
                   {"AZUREML_CR_NODE_RANK", "0"},
                   {"AZUREML_PROCESS_NAME", "rank_0"},
                   {"AZURE_ML_INPUT_data", kPaths.folder + "/inputs/data"},
                   {"HOME", "/home/ada"},
                   {"LANG", "C.UTF-8"},
                   {"TMPDIR", kPaths.folder + "/tmp"},
                   {"POTOK_FENCE", "7.3.2"},
                   {"POTOK_ATTEMPT", "2"}});
  EXPECT_THAT(environment, Not(Contains(Key("POTOK_TEST_SECRET"))));
  EXPECT_THAT(environment, Not(Contains(Key("TERM"))));
  EXPECT_THAT(environment, Not(Contains(Key("CUDA_VISIBLE_DEVICES"))));
}

AttemptOrder ATrackedOrder() {
  AttemptOrder order = AnOrder();
  order.tracking = {"http://10.0.0.1:8781", "token", "calm_lake_train", "prices"};
  return order;
}

TEST(StepCommandTest, TellsAStepWhereItLogs) {
  ExpectVariables(Render(ATrackedOrder()).environment,
                  {{"MLFLOW_TRACKING_URI", "http://10.0.0.1:8781"},
                   {"MLFLOW_TRACKING_TOKEN", "token"},
                   {"MLFLOW_RUN_ID", "calm_lake_train"},
                   {"MLFLOW_EXPERIMENT_ID", "prices"},
                   {"MLFLOW_EXPERIMENT_NAME", "prices"}});
}

TEST(StepCommandTest, TellsAStepWithAServerOfItsOwnNothingOfOurs) {
  AttemptOrder order = ATrackedOrder();
  order.environment_variables = {{"MLFLOW_TRACKING_URI", "https://mlflow.example"}};
  const auto environment = Render(order).environment;
  EXPECT_THAT(environment, Contains(Pair("MLFLOW_TRACKING_URI", "https://mlflow.example")));
  EXPECT_THAT(environment, Not(Contains(Key("MLFLOW_TRACKING_TOKEN"))));
  EXPECT_THAT(environment, Not(Contains(Key("MLFLOW_RUN_ID"))));
}

TEST(StepCommandTest, TellsNothingOfAnAddressThatIsNotReachedFromHere) {
  AttemptOrder order = ATrackedOrder();
  order.tracking.uri = "http://127.0.0.1:8780";
  EXPECT_THAT(Render(order).environment, Not(Contains(Key("MLFLOW_TRACKING_URI"))));
  StepSurroundings beside_the_server;
  beside_the_server.is_servers_machine = true;
  EXPECT_THAT(StepEnvironment(order, kPaths, beside_the_server),
              Contains(Pair("MLFLOW_TRACKING_URI", "http://127.0.0.1:8780")));
}

TEST(StepCommandTest, PutsTheStandInForMlflowBehindTheStepsOwnModules) {
  StepSurroundings surroundings;
  surroundings.mlflow_standin = "/share/mlflow_standin";
  AttemptOrder order = AnOrder();
  EXPECT_EQ(StepEnvironment(order, kPaths, surroundings).at("PYTHONPATH"), "/share/mlflow_standin");
  order.environment_variables = {{"PYTHONPATH", "/mine"}};
  EXPECT_EQ(StepEnvironment(order, kPaths, surroundings).at("PYTHONPATH"),
            "/mine:/share/mlflow_standin");
}

TEST(StepCommandTest, LetsTheStepsOwnVariablesWinButNotOverItsIdentity) {
  AttemptOrder order = AnOrder();
  order.environment_variables = {{"LANG", "pl_PL.UTF-8"}, {"POTOK_FENCE", "9.9.9"}};
  const auto environment = Render(order).environment;
  EXPECT_THAT(environment, Contains(Pair("LANG", "pl_PL.UTF-8")));
  EXPECT_THAT(environment, Contains(Pair("POTOK_FENCE", "7.3.2")));
}

TEST(StepCommandTest, ShowsAStepOnlyTheGpusThatItAskedFor) {
  StepSurroundings with_gpus;
  with_gpus.has_gpus = true;
  AttemptOrder order = AnOrder();
  order.environment_variables = {{"CUDA_VISIBLE_DEVICES", "0,1,2,3"}};
  EXPECT_EQ(StepEnvironment(order, kPaths, with_gpus).at("CUDA_VISIBLE_DEVICES"), "");
  order.gpu_indices = {1, 3};
  EXPECT_EQ(StepEnvironment(order, kPaths, with_gpus).at("CUDA_VISIBLE_DEVICES"), "1,3");
}

AttemptOrder ADistributedOrder(const std::string& type, std::int32_t processes = 1) {
  AttemptOrder order = AnOrder();
  order.distribution.type = type;
  order.distribution.process_count_per_instance = processes;
  return order;
}

// Rank 1 of three machines.
AttemptOrder OfSeveral(AttemptOrder order) {
  order.gang = GangPlace{1, {"10.0.0.1", "10.0.0.2", "10.0.0.3"}, 23'456, "secret"};
  return order;
}

TEST(StepCommandTest, RunsADistributedStepOfOneProcessAsTheOnlyRank) {
  ExpectVariables(Render(ADistributedOrder("pytorch")).environment,
                  {{"WORLD_SIZE", "1"},
                   {"RANK", "0"},
                   {"LOCAL_RANK", "0"},
                   {"NODE_RANK", "0"},
                   {"MASTER_ADDR", "127.0.0.1"}});
  EXPECT_THAT(Render(ADistributedOrder("tensorflow")).environment, Contains(Key("TF_CONFIG")));
  EXPECT_THAT(Render(ADistributedOrder("mpi")).environment, Contains(Key("AZ_BATCH_HOST_LIST")));
}

TEST(StepCommandTest, TellsAMemberOfTheOthers) {
  const auto environment = Render(OfSeveral(ADistributedOrder("pytorch"))).environment;
  ExpectVariables(environment,
                  {{"WORLD_SIZE", "3"},
                   {"RANK", "1"},
                   {"LOCAL_RANK", "0"},
                   {"NODE_RANK", "1"},
                   {"MASTER_ADDR", "10.0.0.1"},
                   {"MASTER_PORT", "23456"},
                   {"AZUREML_CR_NODE_RANK", "1"},
                   {"AZUREML_PROCESS_NAME", "rank_1"},
                   {"AZUREML_NODE_COUNT", "3"},
                   {"POTOK_NODE_RANK", "1"},
                   {"POTOK_NODES", "10.0.0.1,10.0.0.2,10.0.0.3"}});
}

TEST(StepCommandTest, TellsTensorflowWhoIsWhat) {
  AttemptOrder order = OfSeveral(ADistributedOrder("tensorflow"));
  EXPECT_EQ(Render(order).environment.at("TF_CONFIG"),
            R"({"cluster": {"worker": ["10.0.0.1:23456", "10.0.0.2:23457", "10.0.0.3:23458"]}, )"
            R"("task": {"type": "worker", "index": 1}, "environment": "cloud"})");
  order.distribution.properties["parameter_server_count"] = "2";
  EXPECT_EQ(Render(order).environment.at("TF_CONFIG"),
            R"({"cluster": {"worker": ["10.0.0.1:23456"], )"
            R"("ps": ["10.0.0.2:23457", "10.0.0.3:23458"]}, )"
            R"("task": {"type": "ps", "index": 0}, "environment": "cloud"})");
  // Never all of them, and never what is no number.
  order.distribution.properties["parameter_server_count"] = "99";
  EXPECT_THAT(Render(order).environment.at("TF_CONFIG"),
              ::testing::HasSubstr(R"("worker": ["10.0.0.1:23456"])"));
  order.distribution.properties["parameter_server_count"] = "-1";
  EXPECT_THAT(Render(order).environment.at("TF_CONFIG"), Not(::testing::HasSubstr("ps")));
}

TEST(StepCommandTest, SeveralProcessesAndMpiAreStartedByALauncher) {
  StepSurroundings surroundings;
  surroundings.python = "/share/python";
  const FindProgram none = [](const auto&, const auto&) { return std::nullopt; };
  for (const AttemptOrder& order : {ADistributedOrder("pytorch", 4),
                                    ADistributedOrder("mpi", 2),
                                    OfSeveral(ADistributedOrder("mpi"))}) {
    const auto step = RenderStep(order, kPaths, surroundings, none);
    ASSERT_TRUE(step.ok()) << step.status();
    EXPECT_EQ(step->argv,
              (std::vector<std::string>{"/usr/bin/env",
                                        "python3",
                                        "/share/python/potok_ranks",
                                        "/bin/bash",
                                        "--noprofile",
                                        "--norc",
                                        kPaths.script()}));
    EXPECT_EQ(step->environment.at("POTOK_DISTRIBUTION"), order.distribution.type);
    EXPECT_EQ(RenderStep(order, kPaths, {}, none).status().code(),
              absl::StatusCode::kFailedPrecondition);
  }
  const auto alone = RenderStep(ADistributedOrder("mpi"), kPaths, surroundings, none);
  EXPECT_EQ(alone->argv.front(), "/bin/bash");
}

TEST(OrderTest, RefusesNamesThatLeaveTheFolder) {
  for (const std::string name : {"..", ".", "", "a/b", "/etc"}) {
    AttemptOrder order = AnOrder();
    order.inputs = {AFolder(name)};
    EXPECT_FALSE(CheckNames(order).ok()) << name;
    order.inputs = {AFile("data", name)};
    EXPECT_EQ(CheckNames(order).ok(), name.empty()) << name;
    order.inputs = {};
    order.outputs = {AnOutput(name, ValueType::kUriFolder)};
    EXPECT_FALSE(CheckNames(order).ok()) << name;
  }
}

}  // namespace
}  // namespace potok::agent
