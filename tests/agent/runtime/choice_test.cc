// Which runtime an order gets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/runtime/runtimes.h"

namespace potok::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

AttemptOrder AnOrder(const std::string& environment = "") {
  AttemptOrder order;
  order.key = {7, 3, 1};
  order.command = "/bin/true";
  order.environment_definition = environment;
  return order;
}

constexpr char kImage[] = R"({"image":"python:3.11"})";
constexpr char kConda[] =
    R"({"conda_file":{"channels":["conda-forge"],"dependencies":["python=3.10.4","pip>=23",)"
    R"({"pip":["numpy==1.26","-e ."]},"conda-forge::gcc_linux=12"]},"image":"ubuntu"})";

TEST(RuntimeChoiceTest, IsTheHostUnlessSomethingElseIsAskedFor) {
  const RuntimeChoice choice = ChooseRuntime(AnOrder(kImage), {});
  EXPECT_FALSE(choice.container || choice.python || choice.sandbox);
  EXPECT_EQ(PlainRuntime(choice).shown, "");
}

TEST(RuntimeChoiceTest, IsolationNoNetworkAndTheMachinesFlagEachMakeASandbox) {
  AttemptOrder isolated = AnOrder();
  isolated.isolation = "sandbox";
  AttemptOrder cut_off = AnOrder();
  cut_off.network = "none";
  EXPECT_TRUE(ChooseRuntime(isolated, {}).sandbox);
  EXPECT_TRUE(ChooseRuntime(cut_off, {}).sandbox);
  EXPECT_TRUE(ChooseRuntime(AnOrder(), {.sandbox_always = true}).sandbox);
  EXPECT_EQ(PlainRuntime(ChooseRuntime(isolated, {})).shown, "sandbox");
}

TEST(RuntimeChoiceTest, AnImageIsAContainerWhereTheMachineSaysSoAndThatIsIsolationEnough) {
  AttemptOrder order = AnOrder(kImage);
  order.isolation = "sandbox";
  const RuntimeChoice choice = ChooseRuntime(order, {.images_in_containers = true});
  EXPECT_TRUE(choice.container);
  EXPECT_FALSE(choice.sandbox);
  EXPECT_FALSE(ChooseRuntime(AnOrder(), {.images_in_containers = true}).container);
}

TEST(RuntimeChoiceTest, PythonThatIsBuiltComesBeforeTheImage) {
  AttemptOrder order = AnOrder(kConda);
  order.network = "none";
  const RuntimeChoice choice =
      ChooseRuntime(order, {.images_in_containers = true, .python_is_built = true});
  EXPECT_TRUE(choice.python && choice.sandbox);
  EXPECT_FALSE(choice.container);
  EXPECT_EQ(choice.environment.python->python, "3.10.4");
  EXPECT_THAT(choice.environment.python->packages, ElementsAre("numpy==1.26", "-e ."));
  EXPECT_THAT(choice.environment.python->conda, ElementsAre("conda-forge::gcc_linux=12"));
  EXPECT_THAT(choice.environment.python->channels, ElementsAre("conda-forge"));
}

TEST(RuntimeChoiceTest, AStepThatAsksForTheContainerGetsItInsteadOfPython) {
  AttemptOrder order = AnOrder(kConda);
  order.isolation = "container";
  const RuntimeChoice choice =
      ChooseRuntime(order, {.images_in_containers = true, .python_is_built = true});
  EXPECT_TRUE(choice.container);
  EXPECT_FALSE(choice.python || choice.sandbox);
  const Runtimes none;
  const auto made = none.Make(
      order, AttemptPaths("/a"), PlainRuntime(none.Choose(order)), {{"/bin/true"}, {}, {}}, {});
  EXPECT_THAT(made.status().ToString(), HasSubstr("start it with --images=container"));
}

TEST(RuntimeChoiceTest, WhatThePoolSaysOfImagesComesBeforeTheMachinesFlag) {
  AttemptOrder order = AnOrder(kImage);
  order.images = "container";
  EXPECT_TRUE(ChooseRuntime(order, {}).container);
  order.images = "host";
  EXPECT_FALSE(ChooseRuntime(order, {.images_in_containers = true}).container);
  order.isolation = "sandbox";
  EXPECT_TRUE(ChooseRuntime(order, {.images_in_containers = true}).sandbox);
  // The step asks for it.
  order.isolation = "container";
  EXPECT_TRUE(ChooseRuntime(order, {.images_in_containers = true}).container);
  AttemptOrder without = AnOrder();
  without.images = "container";
  EXPECT_FALSE(ChooseRuntime(without, {.images_in_containers = true}).container);
}

TEST(RuntimeChoiceTest, AnImageThatThePoolRunsInAContainerComesBeforeThePythonThatIsBuilt) {
  const RuntimeSettings settings{.images_in_containers = true, .python_is_built = true};
  AttemptOrder order = AnOrder(kConda);
  order.images = "container";
  EXPECT_TRUE(ChooseRuntime(order, settings).container);
  EXPECT_FALSE(ChooseRuntime(order, settings).python);
  order.images = "host";
  EXPECT_TRUE(ChooseRuntime(order, settings).python);
  order.images = "container";
  order.environment_definition = R"({"conda_file":{"dependencies":["python=3.10"]}})";
  EXPECT_TRUE(ChooseRuntime(order, settings).python) << "it has no image";
}

TEST(RuntimesTest, WithoutAnEngineNothingThatThePoolRunsInAContainerRunsOnTheMachineInstead) {
  const Runtimes none;
  AttemptOrder order = AnOrder(kImage);
  order.images = "container";
  const auto made = none.Make(
      order, AttemptPaths("/a"), PlainRuntime(none.Choose(order)), {{"/bin/true"}, {}, {}}, {});
  EXPECT_THAT(made.status().ToString(), HasSubstr("the step's pool asks for a container"));
}

TEST(RuntimesTest, WithoutBubblewrapASandboxIsRefusedWithTheReason) {
  Runtimes runtimes;
  runtimes.UseSandbox(absl::NotFoundError("there is no bwrap; install the package bubblewrap"));
  EXPECT_THAT(runtimes.Names(), ElementsAre("host"));
  AttemptOrder order = AnOrder();
  order.isolation = "sandbox";
  const auto made = runtimes.Make(
      order, AttemptPaths("/a"), PlainRuntime(runtimes.Choose(order)), {{"/bin/true"}, {}, {}}, {});
  EXPECT_TRUE(absl::IsFailedPrecondition(made.status()));
  EXPECT_THAT(made.status().ToString(), HasSubstr("install the package bubblewrap"));
}

TEST(RuntimesTest, InputsAreReadOnlyButForPrivateCopies) {
  AttemptOrder order = AnOrder();
  Artifact folder;
  folder.is_folder = true;
  order.inputs = {{"data", ValueType::kUriFolder, Mode::kDefault, folder},
                  {"copy", ValueType::kUriFolder, Mode::kRwMount, folder},
                  {"text", ValueType::kString, Mode::kDefault, std::string("x")}};
  order.outputs.resize(1);
  const RuntimeLaunch launch =
      LaunchOf(order, AttemptPaths("/a"), {{"/bin/true"}, {}, "script"}, {});
  EXPECT_THAT(launch.read_only, ElementsAre("/a/script", "/a/inputs"));
  EXPECT_THAT(launch.writable, ElementsAre("/a/work", "/a/tmp", "/a/outputs", "/a/inputs/copy"));
}

}  // namespace
}  // namespace potok::agent
