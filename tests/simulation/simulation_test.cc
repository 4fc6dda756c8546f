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
  }
  std::printf("%zu runs, %zu results, %zu turns, %zu server starts\n",
              total.runs,
              total.results,
              total.turns,
              total.server_starts);
}

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
