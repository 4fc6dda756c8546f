// Jobs that name what is registered.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "client/frontend/azureml/load.h"
#include "common/pipeline/artifact_reference.h"
#include "tests/client/frontend/fake_assets.h"

namespace potok::client {

namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

const std::string kFolder =
    "potok-artifact:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff/120?folder=1";
const std::string kFile =
    "potok-artifact:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff/120?bytes=120"
    "&name=table.csv";

class RegisteredTest : public testing::Test {
 protected:
  RegisteredTest() {
    std::string name = testing::TempDir() + "/registered-XXXXXX";
    folder_ = mkdtemp(name.data());
    std::filesystem::current_path(folder_);
    assets_.Add(
        AssetKind::kComponent,
        "train",
        "3",
        R"({"type":"command","command":"train ${{inputs.data}} ${{inputs.rate}}",)"
        R"("code":")" +
            kFolder +
            R"(","inputs":{"data":{"type":"uri_folder"},)"
            R"("rate":{"default":"1e-3","type":"number"}},"environment":"azureml:sklearn:2"})");
    assets_.Add(AssetKind::kEnvironment, "sklearn", "2", R"({"image":"python:3.11"})");
    assets_.Add(
        AssetKind::kData, "titanic", "1", R"({"path":")" + kFile + R"(","type":"uri_file"})");
    assets_.Add(
        AssetKind::kModel, "iris", "7", R"({"path":")" + kFolder + R"(","type":"mlflow_model"})");
  }
  ~RegisteredTest() override {
    std::filesystem::current_path("/");
    std::filesystem::remove_all(folder_);
  }

  Loaded Load(const std::string& yaml) {
    std::ofstream("job.yml") << yaml;
    LoadOptions options;
    options.assets = &assets_;
    options.folder_content = folder_content_;
    Loaded loaded = LoadJob("job.yml", options);
    said_.clear();
    for (const Diagnostic& diagnostic : loaded.diagnostics) said_.push_back(ToString(diagnostic));
    return loaded;
  }

  std::filesystem::path folder_;
  FakeAssets assets_;
  FolderContent folder_content_;
  std::vector<std::string> said_;
};

TEST_F(RegisteredTest, PinsAComponentAndWhatItNames) {
  const Loaded loaded = Load(
      "type: pipeline\n"
      "inputs: {all: {type: uri_folder, path: \"azureml:iris:7\"}}\n"
      "jobs: {a: {component: azureml:train@latest, inputs: {data: \"${{parent.inputs.all}}\"}}}\n");
  ASSERT_TRUE(loaded.spec.has_value()) << testing::PrintToString(said_);
  const Step& step = loaded.spec->steps[0];
  EXPECT_EQ(step.component, "train");
  EXPECT_EQ(step.component_version, "3");
  EXPECT_EQ(ArtifactReference(std::get<Artifact>(step.code)), kFolder);
  EXPECT_EQ(step.environment, "sklearn:2");
  EXPECT_EQ(step.environment_definition, R"({"image":"python:3.11"})");
  EXPECT_EQ(std::get<TextValue>(step.inputs[1].value).text, "1e-3");
  EXPECT_EQ(loaded.spec->properties.at("asset.inputs.all"), "azureml:iris:7");
}

TEST_F(RegisteredTest, TakesTheTypeOfDataThatIsRegistered) {
  const Loaded loaded = Load(
      "type: pipeline\n"
      "inputs: {table: {path: azureml:titanic@latest}}\n"
      "jobs: {a: {command: \"cat ${{inputs.t}}\", inputs: {t: \"${{parent.inputs.table}}\"}}}\n");
  ASSERT_TRUE(loaded.spec.has_value()) << testing::PrintToString(said_);
  EXPECT_EQ(loaded.spec->inputs[0].type, ValueType::kUriFile);
  EXPECT_EQ(ArtifactReference(std::get<Artifact>(loaded.spec->inputs[0].value)), kFile);
  EXPECT_EQ(loaded.spec->properties.at("asset.inputs.table"), "azureml:titanic:1");
}

TEST_F(RegisteredTest, AsksForEachNameOnce) {
  std::string yaml = "type: pipeline\njobs:\n";
  for (char node = 'a'; node <= 'z'; ++node) {
    yaml += std::string("  ") + node +
            ": {component: azureml:train:3, inputs: {data: {path: \"azureml:iris:7\", type: "
            "mlflow_model}}}\n";
  }
  ASSERT_TRUE(Load(yaml).spec.has_value()) << testing::PrintToString(said_);
  // The input is declared as a folder, so it is looked for among the data, then among the models.
  EXPECT_EQ(assets_.asked, 4);
}

TEST_F(RegisteredTest, SaysWhereWhatIsMissingIsNamed) {
  EXPECT_FALSE(Load("type: pipeline\n"
                    "inputs: {x: {type: uri_file, path: \"azureml:nothing:1\"}}\n"
                    "jobs:\n"
                    "  a: {component: \"azureml:test:1\"}\n"
                    "  b: {component: azureml:train@prod}\n")
                   .spec.has_value());
  EXPECT_THAT(said_,
              ElementsAre("job.yml:2:36: error: data 'nothing:1' is not registered",
                          "job.yml:4:18: error: node 'a': component 'test:1' is not "
                          "registered",
                          "job.yml:5:18: error: node 'b': component 'train@prod' is not "
                          "registered"));
}

// Examples of Azure's name data of its own workspaces, for steps that its services run.
TEST_F(RegisteredTest, OnlyWarnsOfWhatNobodyReadsHere) {
  const Loaded loaded = Load(
      "type: pipeline\n"
      "inputs:\n"
      "  all: {path: azureml://registries/azureml/models/gpt2/versions/1, type: mlflow_model}\n"
      "jobs:\n"
      "  tune:\n"
      "    component: azureml://registries/azureml/components/tune/versions/1\n"
      "    inputs: {model: \"${{parent.inputs.all}}\", rows: {path: \"azureml:rows:1\"}}\n"
      "  inner:\n"
      "    type: pipeline\n"
      "    inputs: {all: {type: mlflow_model, path: \"${{parent.inputs.all}}\"}}\n"
      "    jobs: {a: {type: spark, entry: {file: a.py}, inputs: {x: {type: mlflow_model, path: "
      "\"${{parent.inputs.all}}\"}}}}\n");
  ASSERT_TRUE(loaded.spec.has_value()) << testing::PrintToString(said_);
  EXPECT_EQ(std::get<UriValue>(loaded.spec->inputs[0].value).uri,
            "azureml://registries/azureml/models/gpt2/versions/1");
  EXPECT_THAT(said_, Contains("job.yml:3:15: warning: model 'gpt2:1' is not registered"));
  EXPECT_THAT(said_, Contains("job.yml:7:60: warning: data 'rows:1' is not registered"));
}

TEST_F(RegisteredTest, RefusesWhatIsNotRegisteredWhereSomethingReadsIt) {
  Load(
      "type: pipeline\n"
      "inputs: {all: {path: \"azureml:gpt2:1\", type: mlflow_model}}\n"
      "jobs:\n"
      "  tune:\n"
      "    component: azureml://registries/azureml/components/tune/versions/1\n"
      "    inputs: {model: \"${{parent.inputs.all}}\"}\n"
      "  inner:\n"
      "    type: pipeline\n"
      "    inputs: {all: \"${{parent.inputs.all}}\"}\n"
      "    jobs: {a: {command: \"cat ${{inputs.x}}\", inputs: {x: \"${{parent.inputs.all}}\"}}}\n");
  EXPECT_THAT(said_, Contains("job.yml:2:22: error: model 'gpt2:1' is not registered"));
}

TEST_F(RegisteredTest, GoesOnWithoutAnEnvironmentThatIsNotRegistered) {
  const Loaded loaded = Load("command: echo\nenvironment: azureml:mine:1\n");
  ASSERT_TRUE(loaded.spec.has_value());
  EXPECT_EQ(loaded.spec->steps[0].environment, "azureml:mine:1");
  EXPECT_THAT(said_,
              ElementsAre("job.yml:2:14: warning: the job: environment 'mine:1' is not registered; "
                          "the step runs with what its machine has"));
}

TEST_F(RegisteredTest, SaysNothingOfEnvironmentsThatAreAzures) {
  EXPECT_TRUE(
      Load("command: echo\nenvironment: azureml:AzureML-sklearn@latest\n").spec.has_value());
  EXPECT_THAT(said_, IsEmpty());
  EXPECT_TRUE(Load("command: echo\n"
                   "environment: azureml://registries/azureml/environments/sklearn/labels/latest\n")
                  .spec.has_value());
  EXPECT_THAT(said_, IsEmpty());
}

TEST_F(RegisteredTest, DoesNotTakeASilentServerForAnEmptyOne) {
  assets_.reachable = false;
  EXPECT_FALSE(Load("command: echo\nenvironment: azureml:AzureML-sklearn@latest\n").spec);
  EXPECT_THAT(said_, ElementsAre("job.yml:2:14: error: the job: no server answers"));
}

TEST_F(RegisteredTest, TellsBuildContextsApartByAllTheirFiles) {
  std::filesystem::create_directory("context");
  std::ofstream("context/Dockerfile") << "FROM debian:12\n";
  std::string asked;
  folder_content_ = [&asked](const std::string& folder) {
    asked = folder;
    return ParseArtifactReference(kFolder);
  };
  const Loaded loaded = Load("command: echo\nenvironment: {build: {path: ./context}}\n");
  ASSERT_TRUE(loaded.spec.has_value()) << testing::PrintToString(said_);
  EXPECT_EQ(asked, std::filesystem::canonical("context").string());
  EXPECT_EQ(loaded.spec->steps[0].environment_definition,
            R"({"build":{"dockerfile_path":"Dockerfile","path":")" + kFolder + R"("}})");
}

TEST_F(RegisteredTest, CallsEqualPackagesEqualHoweverTheyAreWritten) {
  std::ofstream("conda.yml") << "# pinned\ndependencies:\n- python=3.11\nname: x\n";
  const Loaded file = Load("command: echo\nenvironment: {image: base, conda_file: ./conda.yml}\n");
  const Loaded map = Load(
      "command: echo\nenvironment: {conda_file: {name: \"x\", dependencies: [python=3.11]}, image: "
      "base}\n");
  ASSERT_TRUE(file.spec.has_value() && map.spec.has_value()) << testing::PrintToString(said_);
  EXPECT_EQ(file.spec->steps[0].environment_definition, map.spec->steps[0].environment_definition);
}

}  // namespace

}  // namespace potok::client
