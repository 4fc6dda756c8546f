#include "common/base/age.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace potok {
namespace {

TEST(AgeTest, ReadsEveryUnit) {
  EXPECT_EQ(*ParseAge("45s"), absl::Seconds(45));
  EXPECT_EQ(*ParseAge("90m"), absl::Minutes(90));
  EXPECT_EQ(*ParseAge("1.5h"), absl::Minutes(90));
  EXPECT_EQ(*ParseAge("30d"), absl::Hours(30 * 24));
  EXPECT_EQ(*ParseAge("2w"), absl::Hours(14 * 24));
  EXPECT_EQ(*ParseAge("0s"), absl::ZeroDuration());
  EXPECT_EQ(*ParseAge("forever"), absl::InfiniteDuration());
}

TEST(AgeTest, RefusesWhatIsNoLengthOfTime) {
  for (const char* text : {"",
                           "30",
                           "d",
                           "-1d",
                           "1 d",
                           "1e9d",
                           "nan",
                           "infd",
                           "30days",
                           "1.2.3d",
                           "99999999w",
                           "Forever"}) {
    const auto age = ParseAge(text);
    ASSERT_TRUE(absl::IsInvalidArgument(age.status())) << text;
    EXPECT_THAT(std::string(age.status().message()), testing::HasSubstr("such as 30d"));
  }
}

}  // namespace
}  // namespace potok
