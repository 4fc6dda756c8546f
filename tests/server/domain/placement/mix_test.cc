#include "server/domain/placement/mix.h"

#include "gmock/gmock.h"
#include "tests/server/domain/placement/builders.h"

namespace potok::server::placing {
namespace {

TEST(MixTest, IsThePriorUntilARequestWasSeen) {
  const Mix mix{Policy()};
  const std::vector<TypicalRequest> typical = mix.Typical(10, ARequest(8, 16, 1000));
  ASSERT_EQ(typical.size(), 3U);
  EXPECT_EQ(typical[0].request, ARequest(8, 16, 1000));
  EXPECT_EQ(typical[1].request, ARequest(4, 8, 500));
  EXPECT_EQ(typical[2].request, ARequest(2, 4, 250));
  EXPECT_NEAR(typical[0].weight, 1.0 / 3, 1e-9);
}

TEST(MixTest, WeighsClassesByHowOftenTheyWereSeen) {
  Mix mix{Policy()};
  for (int i = 0; i < 3; ++i) mix.Saw(ARequest(4, 8, 500));
  mix.Saw(ARequest(4, 8, 1000));
  const std::vector<TypicalRequest> typical = mix.Typical(10, {});
  ASSERT_EQ(typical.size(), 2U);
  EXPECT_EQ(typical[0].request.gpu_millis, 500);
  EXPECT_NEAR(typical[0].weight, 0.75, 1e-3);
}

TEST(MixTest, MakesOneClassOfRequestsThatAreAlikeWithTheirMeanOfCpuAndMemory) {
  Mix mix{Policy()};
  mix.Saw(ARequest(9, 20, 1000));
  mix.Saw(ARequest(11, 22, 1000));
  const std::vector<TypicalRequest> typical = mix.Typical(10, {});
  ASSERT_EQ(typical.size(), 1U);
  EXPECT_NEAR(typical[0].request.cpu_millis, 10'000, 1);
  EXPECT_NEAR(static_cast<double>(typical[0].request.memory_bytes), 21.0 * kGib, 1e-3 * kGib);
}

TEST(MixTest, ForgetsWithItsHalfLife) {
  Policy policy;
  policy.half_life = 10;
  Mix mix(policy);
  mix.Saw(ARequest(1, 1, 1000));
  for (int i = 0; i < 10; ++i) mix.Saw(ARequest(1, 1));
  mix.Saw(ARequest(1, 1, 500));
  const std::vector<TypicalRequest> typical = mix.Typical(10, {});
  ASSERT_EQ(typical.size(), 2U);
  EXPECT_EQ(typical[0].request.gpu_millis, 500);
  EXPECT_NEAR(typical[1].weight / typical[0].weight, 0.467, 1e-3);  // 2^-1.1
  for (int i = 0; i < 5000; ++i) mix.Saw(ARequest(1, 1));
  EXPECT_TRUE(mix.Typical(10, {}).empty());
}

TEST(MixTest, KeepsTheHeaviestClasses) {
  Mix mix{Policy()};
  for (std::int32_t gpus = 1; gpus <= 5; ++gpus) {
    for (int i = 0; i < gpus; ++i) mix.Saw(ARequest(1, 1, gpus * 1000));
  }
  const std::vector<TypicalRequest> typical = mix.Typical(2, {});
  ASSERT_EQ(typical.size(), 2U);
  EXPECT_EQ(typical[0].request.gpu_millis, 5000);
  EXPECT_EQ(typical[1].request.gpu_millis, 4000);
  EXPECT_NEAR(typical[0].weight + typical[1].weight, 1, 1e-9);
}

}  // namespace
}  // namespace potok::server::placing
