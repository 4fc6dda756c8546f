#include "server/tracking/mlflow_filter.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace potok::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Of = TrackedCondition::Of;

TrackedCondition One(const std::string& filter) {
  const auto conditions = ParseFilter(filter);
  EXPECT_TRUE(conditions.ok()) << conditions.status();
  return conditions.ok() && conditions->size() == 1 ? conditions->front() : TrackedCondition();
}

TEST(MlflowFilterTest, ReadsNumbersAndTexts) {
  const TrackedCondition metric = One("metrics.rmse <= 1.5e-3");
  EXPECT_EQ(metric.of, Of::kMetric);
  EXPECT_EQ(metric.name, "rmse");
  EXPECT_EQ(metric.comparator, "<=");
  EXPECT_EQ(metric.number, 1.5e-3);
  const TrackedCondition tag = One("tags.`my tag` ilike 'a%'");
  EXPECT_EQ(tag.of, Of::kTag);
  EXPECT_EQ(tag.name, "my tag");
  EXPECT_EQ(tag.comparator, "ILIKE");
  EXPECT_THAT(tag.texts, ElementsAre("a%"));
  EXPECT_EQ(One("params.\"mlflow.x\"='1'").name, "mlflow.x");
  EXPECT_EQ(One("tags.mlflow.parentRunId = \"abc\"").name, "mlflow.parentRunId");
}

TEST(MlflowFilterTest, TakesNamesWithoutAKindForAttributes) {
  EXPECT_EQ(One("status = 'FINISHED'").of, Of::kAttribute);
  EXPECT_EQ(One("attributes.start_time > 1664067852747").number, 1664067852747.0);
  EXPECT_THAT(One("run_id NOT IN ('a', 'b')").texts, ElementsAre("a", "b"));
  EXPECT_EQ(One("run_id not in ('a')").comparator, "NOT IN");
}

TEST(MlflowFilterTest, JoinsConditionsByAnd) {
  const auto conditions = ParseFilter("metrics.a > 1 and params.b != 'x' AND tags.c LIKE '%'");
  ASSERT_TRUE(conditions.ok()) << conditions.status();
  EXPECT_EQ(conditions->size(), 3u);
  EXPECT_TRUE(ParseFilter("")->empty());
  EXPECT_TRUE(ParseFilter("  ")->empty());
}

TEST(MlflowFilterTest, SaysWhatIsWrongWithOthers) {
  for (const std::string filter : {"metrics.a",
                                   "metrics.a >",
                                   "metrics. > 1",
                                   "params.`` = 'x'",
                                   "metrics.a > 'x'",
                                   "params.a = 1",
                                   "params.a > 'x'",
                                   "metrics.a > 1 or metrics.b > 1",
                                   "metrics.a > 1 and",
                                   "tags.a = 'unclosed",
                                   "nothing = 'x'",
                                   "steps.a = 'x'",
                                   "run_id IN 'a'",
                                   "run_id IN ('a'",
                                   "= 1",
                                   "tags.`a = 'x'"}) {
    const auto conditions = ParseFilter(filter);
    EXPECT_EQ(conditions.status().code(), absl::StatusCode::kInvalidArgument) << filter;
  }
  EXPECT_THAT(std::string(ParseFilter("metrics.a > 'x'").status().message()),
              HasSubstr("a number is wanted at character 13"));
}

TEST(MlflowFilterTest, ReadsOrders) {
  EXPECT_FALSE(ParseOrder("metrics.rmse DESC")->ascending);
  EXPECT_TRUE(ParseOrder("metrics.rmse asc")->ascending);
  EXPECT_TRUE(ParseOrder("start_time")->ascending);
  EXPECT_EQ(ParseOrder("metrics.`a desc` desc")->name, "a desc");
  EXPECT_FALSE(ParseOrder("nothing DESC").ok());
}

}  // namespace
}  // namespace potok::server
