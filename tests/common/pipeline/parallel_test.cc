#include "common/pipeline/parallel.h"

#include <cstdlib>

#include "common/pipeline/command.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/common/pipeline/bash_fixture.h"
#include "tests/common/pipeline/hostile_values.h"

namespace potok {
namespace {

using testing::HasSubstr;
using testing::Not;

Parallel AParallel() {
  Parallel parallel;
  parallel.entry_script = "score.py";
  parallel.input_data = "images";
  parallel.append_row_to = "rows";
  parallel.mini_batch_size = "5";
  parallel.program_arguments = "--model ${{inputs.model}} --error_threshold 5";
  return parallel;
}

TEST(ParallelTest, RunsTheRunnerWithSettingsPortsAndArguments) {
  EXPECT_EQ(
      CommandOfParallel(AParallel()),
      "python3 \"${POTOK_PYTHON:?this agent came without its folder of Python}/potok_parallel\" "
      "--settings '{\"entry_script\": \"score.py\", \"mini_batch_size\": \"5\", "
      "\"partition_keys\": [], \"mini_batch_error_threshold\": -1, \"error_threshold\": -1, "
      "\"max_retries\": 2, \"batch_timeout_seconds\": 60, \"max_concurrency_per_instance\": 0, "
      "\"logging_level\": \"\"}' --input ${{inputs.images}} --append-to ${{outputs.rows}} "
      "-- --model ${{inputs.model}} --error_threshold 5");
}

TEST(ParallelTest, AppendsNowhereUnlessToldTo) {
  Parallel parallel = AParallel();
  parallel.append_row_to.clear();
  EXPECT_THAT(CommandOfParallel(parallel), Not(HasSubstr("--append-to")));
}

// What the real shell gives the runner: stood in for by one that writes its arguments down.
TEST(ParallelTest, GivesEverySettingToTheRunnerAsItIs) {
  BashFixture bash;
  for (const std::string& hostile : HostileValues()) {
    Parallel parallel = AParallel();
    parallel.entry_script = hostile;
    parallel.partition_keys = {hostile, "${{inputs.model}}", "$[[x]]"};
    const auto rendered = RenderForShell(CommandOfParallel(parallel),
                                         {{"images", hostile}, {"model", "a model"}},
                                         {{"rows", "/out/rows"}});
    ASSERT_TRUE(rendered.ok()) << rendered.status();
    ShellCommand command = *rendered;
    // The settings are read back by a JSON parser of another make.
    command.script =
        "python3() { command python3 -I -S -c '\n"
        "import json, os, sys\n"
        "settings = json.loads(sys.argv[3])\n"
        "open(os.environ[\"OUT\"], \"wb\").write(os.fsencode(\"|\".join([settings[\"entry_script\"]"
        ", *settings[\"partition_keys\"], *sys.argv[4:]])))\n"
        "' \"$@\"; }\nPOTOK_PYTHON=/python\n" +
        command.script;
    EXPECT_EQ(
        bash.Run(command),
        fmt::format("{0}|{0}|${{{{inputs.model}}}}|$[[x]]|--input|{0}|--append-to|/out/rows|--|"
                    "--model|a model|--error_threshold|5",
                    hostile));
  }
  EXPECT_FALSE(bash.CanaryExists());
}

TEST(ParallelTest, ReadsArgumentsOnSeveralLinesAsOne) {
  Parallel parallel = AParallel();
  parallel.program_arguments = "--a 1\n--b 2 \\\n  --c 3\n";
  EXPECT_THAT(CommandOfParallel(parallel), HasSubstr("-- --a 1 --b 2    --c 3 "));
}

}  // namespace
}  // namespace potok
