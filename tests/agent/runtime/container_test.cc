// Command lines of podman and docker, and what is made of their answers.
#include "agent/runtime/container.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace potok::agent {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

ContainerEngine AnEngine(ContainerEngine::Kind kind = ContainerEngine::Kind::kPodman) {
  ContainerEngine engine;
  engine.kind = kind;
  engine.program = "/usr/bin/engine";
  engine.network = "host";
  engine.has_init = true;
  engine.owner = "abc";
  engine.user = "0:0";
  engine.environment = {{"PATH", "/usr/bin"}};
  return engine;
}

RuntimeLaunch ALaunch() {
  RuntimeLaunch launch;
  launch.name = "7.3.1";
  launch.argv = {"python", "train.py"};
  launch.working_directory = "/s/a/work";
  launch.environment = {{"A", "b; $(c)"}, {"LINES", "1\n2"}, {"LD_LIBRARY_PATH", "/x"}};
  launch.read_only = {"/s/a/inputs"};
  launch.writable = {"/s/a/work"};
  launch.limits.memory_bytes = 1 << 30;
  launch.limits.cpu_millis = 1500;
  return launch;
}

TEST(ContainerTest, PodmanRunsBelowTheCallerWithMountsAtTheSamePaths) {
  const auto command = InContainer(AnEngine(), "sha", "/s/a/variables", ALaunch());
  ASSERT_TRUE(command.ok());
  EXPECT_THAT(command->argv,
              ElementsAre("/usr/bin/engine",
                          "run",
                          "--rm",
                          "--pull=never",
                          "--name=potok-abc-7.3.1",
                          "--label=potok.agent=abc",
                          "--network=host",
                          "--user=0:0",
                          "--security-opt=no-new-privileges",
                          "--security-opt=label=disable",
                          "--workdir=/s/a/work",
                          "--env-file=/s/a/variables",
                          "--entrypoint=",
                          "--log-driver=passthrough",
                          "--init",
                          "--cgroups=disabled",
                          "--pids-limit=0",
                          "--shm-size=0",
                          "--mount",
                          "type=bind,source=/s/a/inputs,destination=/s/a/inputs,readonly",
                          "--mount",
                          "type=bind,source=/s/a/work,destination=/s/a/work",
                          "--env=LINES=1\n2",
                          "sha",
                          "python",
                          "train.py"));
  EXPECT_EQ(command->environment, AnEngine().environment);  // nothing of the step's
  EXPECT_EQ(VariablesText(ALaunch().environment), "A=b; $(c)\nLD_LIBRARY_PATH=/x\n");
}

TEST(ContainerTest, DockersDaemonGetsTheLimits) {
  RuntimeLaunch launch = ALaunch();
  launch.has_network = false;
  launch.gpus = {0, 2};
  const auto command = InContainer(AnEngine(ContainerEngine::Kind::kDocker), "sha", "/v", launch);
  ASSERT_TRUE(command.ok());
  EXPECT_THAT(command->argv,
              AllOf(Contains("--memory=1073741824"),
                    Contains("--cpus=1.500"),
                    Contains("--network=none"),
                    Contains("--gpus=\"device=0,2\""),
                    Not(Contains("--cgroups=disabled"))));
}

TEST(ContainerTest, PodmanGetsGpusByCdi) {
  RuntimeLaunch launch = ALaunch();
  launch.gpus = {0, 2};
  EXPECT_THAT(InContainer(AnEngine(), "sha", "/v", launch)->argv,
              AllOf(Contains("--device=nvidia.com/gpu=0"), Contains("--device=nvidia.com/gpu=2")));
}

TEST(ContainerTest, PathsWithCommasAreQuoted) {
  RuntimeLaunch launch = ALaunch();
  launch.writable = {"/s/a,readonly"};
  EXPECT_THAT(InContainer(AnEngine(), "sha", "/v", launch)->argv,
              Contains("type=bind,\"source=/s/a,readonly\",\"destination=/s/a,readonly\""));
}

TEST(ContainerTest, NamesOfImagesAreNeitherOptionsNorShellText) {
  for (const char* good : {"python:3.11", "mcr.microsoft.com/azureml/x_y:1", "a@sha256:00"}) {
    EXPECT_TRUE(CheckImageName(good).ok()) << good;
  }
  for (const char* bad : {"", "--privileged", "a;reboot", "$(id)", "a b", "`id`", "../x", "a\nb"}) {
    EXPECT_THAT(CheckImageName(bad).ToString(), HasSubstr("is no name of an image")) << bad;
  }
}

TEST(ContainerTest, ShowsTheImageByTheRegistrysDigestOrByItsId) {
  const auto by_digest =
      ParseInspection("python:3", R"({"id":"77","digests":["docker.io/python@sha256:aa"]})");
  ASSERT_TRUE(by_digest.ok());
  EXPECT_EQ(by_digest->id, "77");
  EXPECT_EQ(by_digest->shown, "python:3@sha256:aa");
  EXPECT_EQ(ParseInspection("x", R"({"id":"77","digests":null})")->shown, "x@sha256:77");
  EXPECT_EQ(ParseInspection("x@sha256:aa", R"({"id":"7","digests":[]})")->shown, "x@sha256:aa");
  EXPECT_FALSE(ParseInspection("x", "nonsense").ok());
}

TEST(ContainerTest, ToldApartAreFailuresOfTheEngineAndOfTheCommand) {
  const std::string log = "out\nError: OCI runtime error: crun: cgroups in hybrid mode\n";
  EXPECT_EQ(WordsOfEnd(126, log), "OCI runtime error: crun: cgroups in hybrid mode");
  EXPECT_EQ(WordsOfEnd(1, log), "");
  EXPECT_EQ(WordsOfEnd(127, "Error: x\nbash: nothing: command not found\n"), "");
  EXPECT_THAT(AdviceOn("crun: cgroups in hybrid mode not supported"), HasSubstr("version 1 and 2"));
  EXPECT_THAT(AdviceOn("setrlimit `RLIMIT_NOFILE`: Operation not permitted"),
              HasSubstr("default_ulimits"));
}

}  // namespace
}  // namespace potok::agent
