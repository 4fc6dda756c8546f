#include "server/rpc/run_name.h"

#include <gtest/gtest.h>

namespace potok::server {
namespace {

TEST(RunNameTest, MakesNamesThatItAccepts) {
  for (int i = 0; i < 100; ++i) {
    const std::string name = MakeRunName();
    EXPECT_TRUE(CheckRunName(name).ok()) << name;
  }
}

TEST(RunNameTest, RefusesNamesThatDoNotFitAFileOrALine) {
  for (const char* name : {"", "_a", "-a", "a b", "a/b", "../a", "a\nb", "a.b", "\xc3\xa4"}) {
    EXPECT_EQ(CheckRunName(name).code(), absl::StatusCode::kInvalidArgument) << name;
  }
  EXPECT_FALSE(CheckRunName(std::string(256, 'a')).ok());
  EXPECT_TRUE(CheckRunName(std::string(255, 'a')).ok());
}

// A standalone job's AZUREML_RUN_ID was NAME_main.
TEST(RunNameTest, NamesTheJobOfAStandaloneRunAfterTheRun) {
  PipelineSpec spec;
  Step step;
  step.name = "main";
  spec.is_pipeline = false;
  EXPECT_EQ(StepJobName(spec, "calm_lake", step.name), "calm_lake");
  spec.is_pipeline = true;
  EXPECT_EQ(StepJobName(spec, "calm_lake", step.name), "calm_lake_main");
}

}  // namespace
}  // namespace potok::server
