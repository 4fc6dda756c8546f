#include "common/base/resources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace potok {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kGiB = std::int64_t{1} << 30;

TEST(ResourcesTest, AddsAndTakesAwayEachKind) {
  Resources sum{kGiB, 500, 250, 10, {{"fpga", 1}}};
  sum += Resources{kGiB, 500, 750, 5, {{"fpga", 1}, {"licence", 3}}};
  EXPECT_EQ(sum, (Resources{2 * kGiB, 1000, 1000, 15, {{"fpga", 2}, {"licence", 3}}}));
  sum -= Resources{2 * kGiB, 1000, 1000, 15, {{"fpga", 2}, {"licence", 3}}};
  EXPECT_EQ(sum, Resources{});
}

TEST(ResourcesTest, FitsOnlyWhereThereIsEnoughOfEachKind) {
  const Resources free{8 * kGiB, 2000, 1000, 100, {{"fpga", 2}}};
  EXPECT_TRUE(free.FitsInto(free));
  EXPECT_FALSE((Resources{9 * kGiB}).FitsInto(free));
  EXPECT_FALSE((Resources{0, 2001}).FitsInto(free));
  EXPECT_FALSE((Resources{0, 0, 1001}).FitsInto(free));
  EXPECT_FALSE((Resources{0, 0, 0, 101}).FitsInto(free));
  EXPECT_FALSE((Resources{0, 0, 0, 0, {{"fpga", 3}}}).FitsInto(free));
  EXPECT_FALSE((Resources{0, 0, 0, 0, {{"licence", 1}}}).FitsInto(free));
}

TEST(ResourcesTest, SaysWhatLacks) {
  const Resources free{kGiB, 1000, 0, -5, {{"fpga", 1}}};
  EXPECT_EQ(LackOf({2 * kGiB, 500, 250, 5, {{"fpga", 1}, {"licence", 2}}}, free),
            (Resources{kGiB, 0, 250, 10, {{"licence", 2}}}));
}

TEST(ResourcesTest, IsWrittenAsPeopleDo) {
  EXPECT_EQ(ToString(Resources{}), "nothing");
  EXPECT_EQ(ToString({8 * kGiB, 2000, 1000, 100 * kGiB, {{"fpga", 2}}}),
            "8 GiB memory, 2 CPUs, 1 GPU, 100 GiB disk, 2 fpga");
  EXPECT_EQ(ToString({0, 0, 250}), "0.25 GPUs");
}

TEST(ResourcesTest, ReadsGpusAsWholeOnesOrAShareOfOne) {
  EXPECT_EQ(*ParseGpuMillis("0"), 0);
  EXPECT_EQ(*ParseGpuMillis("2"), 2000);
  EXPECT_EQ(*ParseGpuMillis("1.0"), 1000);
  EXPECT_EQ(*ParseGpuMillis("0.25"), 250);
  EXPECT_EQ(*ParseGpuMillis("0.29"), 290);
  EXPECT_EQ(*ParseGpuMillis("0.3333"), 333);
  EXPECT_EQ(*ParseGpuMillis("0.9999"), 999);
  EXPECT_EQ(*ParseGpuMillis("1024"), 1'024'000);
  for (const char* wrong : {"1.5", "0.0001", "-1", "nan", "inf", "1e3", "", "half", "2 GPUs"}) {
    EXPECT_THAT(std::string(ParseGpuMillis(wrong).status().message()),
                HasSubstr("whole ones as 2, or a share of one as 0.25"))
        << wrong;
  }
  EXPECT_THAT(std::string(ParseGpuMillis("1025").status().message()),
              HasSubstr("more GPUs than a machine may have"));
  for (const std::int32_t millis : {0, 1, 250, 333, 999, 1000, 8000}) {
    EXPECT_EQ(*ParseGpuMillis(FormatGpus(millis)), millis);
  }
}

TEST(ResourcesTest, RefusesAmountsThatNoMachineHas) {
  EXPECT_FALSE(ParseBytes("-1").ok());
  EXPECT_FALSE(ParseBytes("nan").ok());
  EXPECT_FALSE(ParseBytes("inf").ok());
  EXPECT_FALSE(ParseBytes("1e9").ok());
  EXPECT_FALSE(ParseBytes("8QiB").ok());
  EXPECT_EQ(*ParseBytes("4194304TiB"), kBytesMax);
  EXPECT_THAT(std::string(ParseBytes("4194305TiB").status().message()),
              HasSubstr("more than 4 EiB"));
  EXPECT_FALSE(ParseCpuMillis("nan").ok());
  EXPECT_FALSE(ParseCpuMillis("1000001").ok());
}

TEST(ResourcesTest, ChecksWhatCameOverTheWire) {
  const auto wrong = [](const Resources& resources) {
    return std::string(CheckRequest(resources).message());
  };
  EXPECT_EQ(wrong({1, 1, 999, 1, {{"fpga", 1}}}), "");
  EXPECT_EQ(wrong({-1}), "memory_bytes is -1; it must be from 0 to 4611686018427387904");
  EXPECT_EQ(wrong({0, -1}), "cpu_millis is -1; it must be from 0 to 1000000000");
  EXPECT_EQ(wrong({0, 0, 1'025'000}), "gpu_millis is 1025000; it must be from 0 to 1024000");
  EXPECT_EQ(wrong({0, 0, 1500}),
            "'1.5' is not a number of GPUs; write whole ones as 2, or a share of one as 0.25");
  EXPECT_EQ(wrong({0, 0, 0, -1}), "disk_bytes is -1; it must be from 0 to 4611686018427387904");
  EXPECT_EQ(wrong({0, 0, 0, 0, {{"fpga", -1}}}), "fpga is -1; it must be from 0 to 1000000000");
  EXPECT_THAT(wrong({0, 0, 0, 0, {{"gpus", 1}}}), HasSubstr("'gpus' cannot name a resource"));
  EXPECT_THAT(wrong({0, 0, 0, 0, {{"a b", 1}}}), HasSubstr("'a b' cannot name a resource"));
  Resources many;
  for (int i = 0; i < 65; ++i) many.named["n" + std::to_string(i)] = 1;
  EXPECT_EQ(wrong(many), "65 named resources, and 64 are allowed");
}

}  // namespace
}  // namespace potok
