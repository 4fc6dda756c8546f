#include "agent/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "agent/loop/find_program.h"
#include "agent/loop/verdict.h"
#include "tests/agent/loop/fakes.h"

namespace potok::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

AgentFlags GoodFlags() {
  AgentFlags flags;
  flags.server = "unix:/run/potok.sock";
  flags.state = "/var/lib/potok/agent";
  flags.cache_bytes = "50GiB";
  flags.on_stop = "leave";
  flags.log_level = "info";
  return flags;
}

TEST(ConfigTest, NamesEveryWrongFlagAtOnce) {
  AgentFlags flags = GoodFlags();
  flags.server = "nowhere";
  flags.memory = "much";
  flags.cpus = "-1";
  flags.gpus = "two";
  flags.labels = {"disk"};
  flags.pools = {"gpu cluster"};
  flags.on_stop = "sleep";
  flags.log_level = "loud";
  flags.transfer_threads = 0;
  flags.log_bytes = "0";
  flags.step_processes = "-1";
  const std::string problems = ConfigOf(flags).status().ToString();
  for (const char* flag : {"--server=nowhere",
                           "--memory=much",
                           "--cpus=-1",
                           "--gpus=two",
                           "--label=disk",
                           "--pool=gpu cluster",
                           "--on_stop=sleep",
                           "--log_level=loud",
                           "--transfer_threads=0",
                           "--log_bytes=0",
                           "--step_processes=-1: must be a number of 1 to 4194304"}) {
    EXPECT_THAT(problems, HasSubstr(flag));
  }
}

TEST(ConfigTest, ReadsIsolationAndWhatSandboxesRead) {
  AgentFlags flags = GoodFlags();
  EXPECT_FALSE(ConfigOf(flags)->runtimes.sandbox_always);
  flags.isolation = "sandbox";
  flags.sandbox_reads = {"/data"};
  EXPECT_TRUE(ConfigOf(flags)->runtimes.sandbox_always);
  EXPECT_THAT(ConfigOf(flags)->sandbox_reads, ElementsAre("/data"));
  flags.isolation = "jail";
  flags.sandbox_reads = {"data", "/"};
  const std::string problems = ConfigOf(flags).status().ToString();
  for (const char* flag : {"--isolation=jail", "--sandbox_reads=data", "--sandbox_reads=/:"}) {
    EXPECT_THAT(problems, HasSubstr(flag));
  }
}

TEST(ConfigTest, ReadsWhatRunsImagesAndBuildsEnvironments) {
  AgentFlags flags = GoodFlags();
  flags.images = "container";
  flags.container_engine = "/opt/podman";
  flags.python_environments = "build";
  flags.python_bytes = "3GiB";
  const absl::StatusOr<AgentConfig> config = ConfigOf(flags);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_TRUE(config->runtimes.images_in_containers && config->runtimes.python_is_built);
  EXPECT_EQ(config->container_engine, "/opt/podman");
  EXPECT_EQ(config->container_network, "host");
  EXPECT_EQ(config->python_bytes, 3LL << 30);
  flags.images = "yes";
  flags.container_network = "a b";
  flags.python_environments = "no";
  flags.python_bytes = "much";
  const std::string problems = ConfigOf(flags).status().ToString();
  for (const char* flag : {"--images=yes: must be host or container",
                           "--container_network=a b",
                           "--python_environments=no: must be host or build",
                           "--python_bytes=much"}) {
    EXPECT_THAT(problems, HasSubstr(flag));
  }
}

TEST(ConfigTest, ReadsLabelsPoolsAndAmounts) {
  AgentFlags flags = GoodFlags();
  flags.labels = {"disk=nvme", "note=a=b"};
  flags.pools = {"gpu-cluster"};
  flags.memory = "64GiB";
  flags.cpus = "500m";
  flags.gpus = "0";
  flags.log_bytes = "300KiB";
  EXPECT_EQ(ConfigOf(flags)->step_processes, std::nullopt);
  flags.step_processes = "4096";
  const AgentConfig config = *ConfigOf(flags);
  EXPECT_EQ(config.labels.at("disk"), "nvme");
  EXPECT_EQ(config.labels.at("note"), "a=b");
  EXPECT_EQ(config.memory_bytes, std::int64_t{64} << 30);
  EXPECT_EQ(config.cpu_millis, 500);
  EXPECT_EQ(config.gpus, 0);
  EXPECT_EQ(config.step_processes, 4096);
  EXPECT_EQ(config.log_limit.head_bytes, 300 << 10);
  EXPECT_EQ(config.log_limit.end_bytes, 300 << 10);
  EXPECT_EQ(config.artifacts, config.server);
}

TEST(ConfigTest, UnderstandsAddresses) {
  EXPECT_EQ(ParseAddress("10.0.0.1:8470"), "10.0.0.1:8470");
  EXPECT_EQ(ParseAddress("grpc://cas.example:9092"), "cas.example:9092");
  EXPECT_EQ(ParseAddress("unix:/run/s.sock"), "unix:/run/s.sock");
  EXPECT_EQ(ParseAddress("unix:///run/s.sock"), "unix:/run/s.sock");
  for (const std::string wrong :
       {"", "host", "host:", ":1", "host:0", "host:70000", "http://x:1", "unix:", "unix:rel"}) {
    EXPECT_EQ(ParseAddress(wrong), std::nullopt) << wrong;
  }
}

TEST(ConfigTest, DeclaresGpusInsteadOfThoseThatAreFound) {
  AgentFlags flags = GoodFlags();
  flags.gpu = {"model=A100", "memory=40GiB", "model=T4", "index=5", "model=H100"};
  flags.disk = "1TiB";
  flags.resources = {"fpga=2", "licence=10"};
  const AgentConfig config = *ConfigOf(flags);
  MachineFacts facts;
  facts.gpus.resize(4);
  facts.labels = {{"os", "linux"}, {"driver", "535"}};
  AgentConfig with_label = config;
  with_label.labels = {{"driver", "mine"}};
  const MachineFacts offered = Offer(with_label, facts);
  ASSERT_EQ(offered.gpus.size(), 3U);
  EXPECT_EQ(offered.gpus[0].model, "A100");
  EXPECT_EQ(offered.gpus[0].memory_bytes, std::int64_t{40} << 30);
  EXPECT_EQ(offered.gpus[1].index, 5);
  EXPECT_EQ(offered.gpus[2].index, 2);
  EXPECT_EQ(offered.capacity.gpu_millis, 3000);
  EXPECT_EQ(offered.capacity.disk_bytes, std::int64_t{1} << 40);
  EXPECT_EQ(NamedOf(offered.capacity, "licence"), 10);
  EXPECT_EQ(offered.labels.at("os"), "linux");
  EXPECT_EQ(offered.labels.at("driver"), "mine");
}

TEST(ConfigTest, SaysWhatIsWrongWithDeclaredThings) {
  AgentFlags flags = GoodFlags();
  flags.gpu = {"memory=40GiB", "model=A100", "memory=lots", "size=3", "model=T4", "index=0"};
  flags.gpus = "1";
  flags.disk = "-1";
  flags.resources = {"fpga", "gpus=2", "x=0", "y=1", "y=2"};
  const std::string problems = ConfigOf(flags).status().ToString();
  for (const char* problem : {"--gpu=memory=40GiB: must be model=MODEL,memory=SIZE",
                              "--gpu=memory=lots: must be",
                              "--gpu=size=3: must be",
                              "two have the same index",
                              "--gpus=1: say how many, or which by --gpu, and not both",
                              "--disk=-1: must be an amount",
                              "--resource=fpga: must be NAME=COUNT",
                              "--resource=gpus=2: must be NAME=COUNT",
                              "--resource=x=0: must be NAME=COUNT",
                              "--resource=y=2: is given twice"}) {
    EXPECT_THAT(problems, HasSubstr(problem));
  }
}

TEST(ConfigTest, OffersNoMoreGpusThanThereAre) {
  MachineFacts facts;
  facts.capacity = {100, 2000, 2000};
  facts.gpus.resize(2);
  AgentConfig config;
  config.gpus = 1;
  EXPECT_EQ(Offer(config, facts).capacity.gpu_millis, 1000);
  config.gpus = 8;
  EXPECT_EQ(Offer(config, facts).capacity.gpu_millis, 2000);
  config.memory_bytes = 50;
  EXPECT_EQ(Offer(config, facts).capacity.memory_bytes, 50);
}

TEST(FindProgramTest, FindsWhatTheKernelCanExecute) {
  const TempFolder folder;
  const auto add = [&](const std::string& name, const std::string& content, int mode) {
    WriteText(folder.path() + "/" + name, content);
    chmod((folder.path() + "/" + name).c_str(), static_cast<mode_t>(mode));
  };
  add("tool", "#!/bin/sh\n", 0755);
  add("plain", "echo a shell reads this\n", 0755);
  add("data", "#!/bin/sh\n", 0644);
  EXPECT_EQ(FindProgramInPath("tool", "/nowhere:" + folder.path()), folder.path() + "/tool");
  EXPECT_EQ(FindProgramInPath(folder.path() + "/tool", ""), folder.path() + "/tool");
  EXPECT_EQ(FindProgramInPath("plain", folder.path()), std::nullopt);
  EXPECT_EQ(FindProgramInPath("data", folder.path()), std::nullopt);
  EXPECT_EQ(FindProgramInPath("./tool", folder.path()), std::nullopt);
  EXPECT_EQ(FindProgramInPath("tool", ":" + folder.path()), std::nullopt);
  EXPECT_TRUE(FindProgramInPath("bash", "/usr/bin:/bin"));
}

// bwrap's own process ends with code 128 + N where signal N ended the command.
TEST(VerdictTest, OfASandboxTellsMemoryFromExitCodes) {
  Ended ended;
  ended.cause = EndCause::kExit;
  ended.code = 137;
  EXPECT_EQ(JudgeInside(ended, 0).failure->cause, FailureCause::kExitCode);
  EXPECT_THAT(JudgeInside(ended, 0).failure->message, HasSubstr("a signal may have ended it"));
  ended.usage.child_out_of_memory = true;
  EXPECT_EQ(JudgeInside(ended, 0).failure->cause, FailureCause::kOutOfMemory);
  ended.code = 1;
  EXPECT_EQ(JudgeInside(ended, 0).failure->cause, FailureCause::kExitCode);
  ended.code = 0;
  EXPECT_FALSE(JudgeInside(ended, 0).failure.has_value());
}

TEST(VerdictTest, OfAContainerTellsTheEnginesFailuresFromTheCommands) {
  const TempFolder folder;
  const std::string log = folder.path() + "/log";
  std::ofstream(log) << "potok: pulling\nError: crun: cgroups in hybrid mode not supported\n";
  FailedReport engine{.cause = FailureCause::kExitCode, .code = 126};
  TellEngineFailure(log, &engine);
  EXPECT_EQ(engine.cause, FailureCause::kStart);
  EXPECT_THAT(engine.message, HasSubstr("could not be run: crun: cgroups in hybrid mode"));
  FailedReport command{.cause = FailureCause::kExitCode, .code = 1, .message = "as it was"};
  TellEngineFailure(log, &command);
  EXPECT_EQ(command.message, "as it was");
}

}  // namespace
}  // namespace potok::agent
