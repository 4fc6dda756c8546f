#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <sstream>
#include <thread>

#include "client/cli/follow/cluster_frame.h"
#include "client/cli/follow/full_screen.h"
#include "client/cli/text/printable.h"

namespace potok::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t kGiB = std::int64_t{1} << 30;

v1::Machine AMachine(const std::string& name, v1::Liveness liveness, int steps) {
  v1::Machine machine;
  machine.set_name(name);
  machine.set_liveness(liveness);
  machine.mutable_capacity()->set_cpu_millis(8000);
  machine.mutable_capacity()->set_memory_bytes(32 * kGiB);
  machine.mutable_capacity()->set_gpus(2);
  for (int i = 0; i < steps; ++i) {
    v1::StepOnMachine* step = machine.add_steps();
    step->set_run("brave_river");
    step->set_step("train_" + std::to_string(i));
    step->set_status(v1::STATUS_RUNNING);
    step->mutable_resources()->set_cpu_millis(1500);
    step->mutable_resources()->set_memory_bytes(8 * kGiB);
    step->mutable_resources()->set_gpus(1);
  }
  machine.mutable_reserved()->set_cpu_millis(1500 * steps);
  machine.mutable_reserved()->set_memory_bytes(8 * kGiB * steps);
  machine.mutable_reserved()->set_gpus(steps);
  return machine;
}

RunLoad ARunInProgress(const std::string& name) {
  v1::Run run;
  run.set_name(name);
  run.set_status(v1::STATUS_RUNNING);
  run.set_created_us(1'000'000);
  run.set_submitter("ann");
  run.set_steps_total(6);
  run.set_steps_completed(1);
  run.set_steps_running(2);
  for (const v1::Status status :
       {v1::STATUS_QUEUED, v1::STATUS_NOT_STARTED, v1::STATUS_NOT_STARTED}) {
    run.add_steps()->set_status(status);
  }
  return LoadOf(run);
}

std::vector<std::string> FrameOf(const Cluster& cluster, const Screen& screen) {
  return ClusterFrame(cluster, absl::FromUnixSeconds(62), absl::UTCTimeZone(), screen);
}

TEST(ClusterFrameTest, ShowsMachinesRunsAndSteps) {
  const Cluster cluster = {
      "gpu-1:7461",
      {AMachine("gpu-1", v1::LIVENESS_READY, 2), AMachine("gpu-2", v1::LIVENESS_LOST, 0)},
      {ARunInProgress("brave_river")}};
  EXPECT_THAT(
      FrameOf(cluster, Screen{120, 40, false}),
      ElementsAre(
          "Potok at gpu-1:7461  1970-01-01 00:01:02",
          "1 of 2 machines ready: 3 of 8 CPUs, 16 GiB of 32 GiB memory, 2 of 2 GPUs in use",
          "1 runs in progress: 2 steps running, 1 queued, 2 not started",
          "",
          "MACHINE  STATE  CPUS               MEMORY                       GPUS               "
          "STEPS",
          "-------  -----  -----------------  ---------------------------  -----------------  "
          "-----",
          "gpu-1    Ready  ###....... 3 of 8  #####..... 16 GiB of 32 GiB  ########## 2 of 2  2",
          "gpu-2    Lost   .......... 0 of 8  .......... 0 B of 32 GiB     .......... 0 of 2  0",
          "",
          "RUN          STATE    STEPS  RUNNING  QUEUED  NOT STARTED  TIME    SUBMITTER",
          "-----------  -------  -----  -------  ------  -----------  ------  ---------",
          "brave_river  Running  1/6    2        1       2            1m 01s  ann",
          "",
          "MACHINE  RUN          STEP     STATE    CPUS  MEMORY  GPUS",
          "-------  -----------  -------  -------  ----  ------  ----",
          "gpu-1    brave_river  train_0  Running  1.5   8 GiB   1",
          "gpu-1    brave_river  train_1  Running  1.5   8 GiB   1"));
}

TEST(ClusterFrameTest, KeepsToTheScreenAndGivesEachPartItsShare) {
  Cluster cluster;
  for (int i = 0; i < 50; ++i) {
    cluster.machines.push_back(AMachine("gpu-" + std::to_string(i), v1::LIVENESS_READY, 1));
    cluster.runs.push_back(
        ARunInProgress("a_run_with_a_name_that_is_too_long_" + std::to_string(i)));
  }
  for (std::size_t rows = 1; rows < 60; ++rows) {
    const std::vector<std::string> lines = FrameOf(cluster, Screen{60, rows, false});
    EXPECT_LT(lines.size(), std::max<std::size_t>(rows, 2));
    for (const std::string& line : lines) EXPECT_LE(Columns(line), 60U) << line;
  }
  std::string text;
  for (const std::string& line : FrameOf(cluster, Screen{60, 30, false})) text += line + "\n";
  EXPECT_THAT(text, HasSubstr("MACHINE"));
  EXPECT_THAT(text, HasSubstr("QUEUED"));
  EXPECT_THAT(text, HasSubstr("train_0"));
  EXPECT_THAT(text, HasSubstr(" more\n"));
}

class FullScreenTest : public testing::Test {
 protected:
  FullScreenTest() {
    context_.out = &out_;
    context_.environment = {{"TERM", "xterm"}};
    context_.terminal_size = [] { return std::pair<std::size_t, std::size_t>(40, 10); };
  }
  std::ostringstream out_;
  Context context_;
  Redraw redraw_;
};

TEST_F(FullScreenTest, PrintsOneFrameWholeWhereThereIsNoTerminal) {
  int asked = 0;
  const absl::Status shown =
      ShowFullScreen(context_, redraw_, [&](absl::Time, const Screen& screen) {
        EXPECT_GT(screen.columns, 1000U);
        redraw_.Ask();
        return ++asked < 3 ? std::vector<std::string>() : std::vector<std::string>{"one", "two"};
      });
  EXPECT_TRUE(shown.ok());
  EXPECT_EQ(out_.str(), "one\ntwo\n");
}

TEST_F(FullScreenTest, DrawsUntilQIsPressedAndGivesTheTerminalBack) {
  context_.out_is_terminal = true;
  std::atomic<bool> pressed = false;
  bool raw = false;
  context_.raw_keys = [&raw] {
    raw = true;
    return std::shared_ptr<void>(&raw, [](void* was) { *static_cast<bool*>(was) = false; });
  };
  context_.read_key = [&](absl::Duration) -> std::optional<char> {
    std::this_thread::yield();
    return pressed ? 'q' : 'x';
  };
  int drawn = 0;
  const absl::Status shown =
      ShowFullScreen(context_, redraw_, [&](absl::Time, const Screen& screen) {
        EXPECT_TRUE(raw);
        EXPECT_EQ(screen.columns, 40U);
        if (++drawn == 3) pressed = true;
        redraw_.Ask();
        return std::vector<std::string>{"frame " + std::to_string(drawn)};
      });
  EXPECT_TRUE(shown.ok());
  EXPECT_FALSE(raw);
  EXPECT_THAT(out_.str(),
              testing::StartsWith("\x1b[?1049h\x1b[?25l\x1b[Hframe 1\x1b[K\n\x1b[Jq: leave"));
  EXPECT_THAT(out_.str(), HasSubstr("\x1b[Hframe 3\x1b[K"));
  EXPECT_THAT(out_.str(), testing::EndsWith("\x1b[?25h\x1b[?1049l"));
}

TEST_F(FullScreenTest, LeavesOnCtrlCAndOnAnError) {
  context_.out_is_terminal = true;
  std::stop_source interrupt;
  context_.interrupted = interrupt.get_token();
  EXPECT_TRUE(ShowFullScreen(context_, redraw_, [&](absl::Time, const Screen&) {
                interrupt.request_stop();
                return std::vector<std::string>{"x"};
              }).ok());
  context_.interrupted = {};
  const absl::Status failed = ShowFullScreen(
      context_, redraw_, [](absl::Time, const Screen&) -> absl::StatusOr<std::vector<std::string>> {
        return absl::NotFoundError("no run x");
      });
  EXPECT_EQ(failed, absl::NotFoundError("no run x"));
  EXPECT_THAT(out_.str(), testing::EndsWith("\x1b[?25h\x1b[?1049l"));
}

}  // namespace
}  // namespace potok::client
