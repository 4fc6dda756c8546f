#include "server/rpc/run_outputs.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace potok::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(RunOutputsTest, ReadsTheFormsOfAnOutput) {
  const auto whole = ParseRunOutputUri("azureml://jobs/brave_river_1/outputs/model");
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_EQ(whole->job, "brave_river_1");
  EXPECT_EQ(whole->output, "model");
  EXPECT_THAT(whole->parts, IsEmpty());
  const auto part = ParseRunOutputUri("azureml://jobs/r/train/fold[3]/fit/outputs/o.x/paths/a//b/");
  ASSERT_TRUE(part.ok()) << part.status();
  EXPECT_EQ(part->job, "r/train/fold[3]/fit");
  EXPECT_EQ(part->output, "o.x");
  EXPECT_THAT(part->parts, ElementsAre("a", "b"));
  for (const char* end : {"/", "/paths", "/paths/"}) {
    const auto same = ParseRunOutputUri(std::string("azureml://jobs/j/outputs/model") + end);
    ASSERT_TRUE(same.ok()) << end << same.status();
    EXPECT_EQ(same->output, "model") << end;
    EXPECT_THAT(same->parts, IsEmpty()) << end;
  }
  for (const char* start : {"runs:/", "runs://"}) {
    const auto run = ParseRunOutputUri(std::string(start) + "r/model/a.bin");
    ASSERT_TRUE(run.ok()) << run.status();
    EXPECT_EQ(run->job, "r");
    EXPECT_EQ(run->output, "");
    EXPECT_THAT(run->parts, ElementsAre("model", "a.bin"));
  }
}

TEST(RunOutputsTest, RefusesWhatNamesNone) {
  for (const char* uri : {"",
                          "azureml://jobs/",
                          "azureml://jobs/r",
                          "azureml://jobs/r/outputs/",
                          "azureml://jobs//outputs/o",
                          "azureml://jobs/r/outputs/o/x",
                          "azureml://jobs/r/outputs/o/paths/../x",
                          "azureml://jobs/r/outputs/o/paths/./x",
                          "azureml://datastores/d/paths/p",
                          "runs:/",
                          "runs:/r/../x",
                          "model"}) {
    const auto name = ParseRunOutputUri(uri);
    ASSERT_FALSE(name.ok()) << uri;
    EXPECT_THAT(std::string(name.status().message()),
                HasSubstr("azureml://jobs/RUN/outputs/OUTPUT"));
  }
}

}  // namespace
}  // namespace potok::server
