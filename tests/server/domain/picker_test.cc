// The order of a pass, against the rule of docs/decisions/0033-who-goes-first.md read literally.
#include "server/domain/picker.h"

#include <algorithm>
#include <random>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "tests/server/domain/builders.h"

namespace potok::server {
namespace {

auto ByRun(const QueuePlace& place) {
  return std::tuple(place.step.run, place.since, place.step.index);
}
auto ByAge(const QueuePlace& place) {
  return std::tuple(place.since, place.step.run, place.shape, place.step.index);
}
// The aged rank; of equal ones the higher priority.
auto Rank(const QueuePlace& place) {
  return std::tuple(place.since - kAgingPerPoint * place.priority, -place.priority, ByAge(place));
}

class Literally {
 public:
  explicit Literally(const State& state) : state_(state) {
    for (const QueuePlace& place : state.queued.All()) {
      if (ParkedOf(state.runs.at(place.step.run)) == Parked::kNot) left_.push_back(place);
    }
  }

  std::optional<QueuePlace> Next() const {
    std::vector<QueuePlace> left;
    for (const QueuePlace& place : left_) {
      const RunRecord& run = state_.runs.at(place.step.run);
      const auto taken = taken_.find(run.id);
      const std::uint32_t placed = run.placed + (taken == taken_.end() ? 0 : taken->second);
      if (LimitOf(run) == 0 || placed < LimitOf(run)) left.push_back(place);
    }
    if (left.empty()) return std::nullopt;
    const std::int32_t highest =
        std::max_element(left.begin(), left.end(), [](const QueuePlace& a, const QueuePlace& b) {
          return a.priority < b.priority;
        })->priority;
    std::optional<QueuePlace> first;   // of the highest priority
    std::optional<QueuePlace> oldest;  // likewise
    for (const QueuePlace& place : left) {
      if (place.priority != highest) continue;
      if (!first || ByRun(place) < ByRun(*first)) first = place;
      if (!oldest || ByAge(place) < ByAge(*oldest)) oldest = place;
    }
    std::optional<QueuePlace> aged;
    for (const QueuePlace& place : left) {
      if (place.priority == highest) continue;
      if (!RanksBefore(place.priority, place.since, highest, oldest->since)) continue;
      if (!aged || Rank(place) < Rank(*aged)) aged = place;
    }
    return aged.has_value() ? aged : first;
  }

  void Take(const QueuePlace& place) {
    ++taken_[place.step.run];
    std::erase_if(left_, [&](const QueuePlace& other) { return other.step == place.step; });
  }
  void Refuse(const QueuePlace& place) {
    std::erase_if(left_, [&](const QueuePlace& other) {
      return other.step.run == place.step.run && other.shape == place.shape;
    });
  }

 private:
  const State& state_;
  std::vector<QueuePlace> left_;
  std::map<RunId, std::uint32_t> taken_;
};

// Runs of few shapes and priorities, submitted over some minutes, some of them held or limited.
void Fill(World& world, std::mt19937& random) {
  const auto below = [&random](std::uint32_t limit) {
    return static_cast<std::uint32_t>(random() % limit);
  };
  const std::uint32_t runs = 1 + below(8);
  for (std::uint32_t r = 0; r < runs; ++r) {
    std::vector<Step> steps;
    const std::uint32_t count = 1 + below(6);
    for (std::uint32_t s = 0; s < count; ++s) {
      AStep step(fmt::format("s{}", s));
      step.Cpus(static_cast<std::int32_t>(1000 * (1 + below(3))));
      step.Priority(static_cast<std::int32_t>(below(4)));
      steps.push_back(step);
    }
    PipelineSpec spec = APipeline(std::move(steps));
    if (below(4) == 0) spec.settings.max_running_steps = static_cast<std::int32_t>(1 + below(3));
    const std::string name = fmt::format("r{}", r);
    world.Submit(name, spec);
    if (below(6) == 0) world.Turn({HoldRequested{99, name, "ada", ""}});
    if (below(3) == 0) {
      world.Turn({MoveRequested{99, name, static_cast<std::int32_t>(below(4)), std::nullopt}});
    }
    world.now += absl::Seconds(std::int64_t{30} * below(4));
  }
}

TEST(PickerTest, PicksAsTheRuleSaysWhateverIsTakenAndRefused) {
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    World world;
    Fill(world, random);
    Literally rule(world.state);
    Picker picker(world.state);
    while (true) {
      const std::optional<QueuePlace> expected = rule.Next();
      const std::optional<QueuePlace> picked = picker.Next();
      ASSERT_EQ(picked.has_value(), expected.has_value()) << "seed " << seed;
      if (!picked.has_value()) break;
      ASSERT_EQ(picked->step, expected->step) << "seed " << seed;
      if (random() % 3 == 0) {
        picker.Refuse();
        rule.Refuse(*expected);
      } else {
        picker.Take();
        rule.Take(*expected);
      }
    }
  }
}

}  // namespace
}  // namespace potok::server
