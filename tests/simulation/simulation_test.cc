// Thousands of short histories of a cluster, each from a seed. A failing seed is printed; replay it
// with --seed=N.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "gmock/gmock.h"
#include "tests/simulation/simulator.h"

namespace potok::server {
namespace {

constexpr std::uint64_t kSeeds = 5000;

std::uint64_t only_seed = 0;  // 0: all

std::string Describe(const Outcome& outcome) {
  std::string text;
  for (const std::string& violation : outcome.violations) text += violation + "\n";
  return text;
}

TEST(SimulationTest, NoSeedBreaksAPromise) {
  Outcome total;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    if (only_seed != 0 && seed != only_seed) continue;
    const Outcome outcome = Simulator(seed, Break::kNone, only_seed != 0).Run();
    ASSERT_TRUE(outcome.violations.empty()) << "replay with --seed=" << seed << "\n"
                                            << Describe(outcome);
    total.runs += outcome.runs;
    total.results += outcome.results;
    total.turns += outcome.turns;
    total.server_starts += outcome.server_starts;
    total.preemptions += outcome.preemptions;
  }
  if (only_seed == 0) {
    EXPECT_GT(total.preemptions, 0U);
  }
  std::printf("%zu runs, %zu results, %zu turns, %zu server starts, %zu preemptions\n",
              total.runs,
              total.results,
              total.turns,
              total.server_starts,
              total.preemptions);
}

struct BreakCase {
  Break broken;
  const char* name;
  const char* noticed;  // what the checks say of it
};

class BreakTest : public testing::TestWithParam<BreakCase> {};

TEST_P(BreakTest, IsNoticedWithinTenThousandSeeds) {
  std::string seen;
  for (std::uint64_t seed = 1; seed <= 10000; ++seed) {
    seen = Describe(Simulator(seed, GetParam().broken).Run());
    if (seen.find(GetParam().noticed) != std::string::npos) {
      std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
      return;
    }
  }
  FAIL() << "nobody noticed; the last seed said: " << seen;
}

INSTANTIATE_TEST_SUITE_P(
    SimulationTest,
    BreakTest,
    testing::Values(
        BreakCase{Break::kSpeakBeforeCommit, "SpeakBeforeCommit", "the store does not say"},
        BreakCase{Break::kAckBeforeCommit, "AckBeforeCommit", "acknowledged, but not stored"},
        BreakCase{Break::kNoAttemptCheck, "NoAttemptCheck", "was given the result of"},
        BreakCase{Break::kRequeueBeforeLeaseEnd, "RequeueBeforeLeaseEnd", " while "},
        BreakCase{Break::kOrderAgainWhatEnded, "OrderAgainWhatEnded", "the store does not say"},
        BreakCase{Break::kNoRestartGrace, "NoRestartGrace", " while "},
        BreakCase{Break::kSkipKeepList, "SkipKeepList", "alive after the welcome"},
        BreakCase{Break::kNoSelfFence, "NoSelfFence", " while "},
        BreakCase{Break::kForgetWhatBegan, "ForgetWhatBegan", "began twice"}),
    [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace potok::server

int main(int argc, char** argv) {
  testing::InitGoogleMock(&argc, argv);
  const std::string flag = "--seed=";
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.compare(0, flag.size(), flag) == 0) {
      potok::server::only_seed = std::strtoull(argument.c_str() + flag.size(), nullptr, 10);
    }
  }
  return RUN_ALL_TESTS();
}
