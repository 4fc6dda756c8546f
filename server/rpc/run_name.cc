#include "server/rpc/run_name.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "common/base/random_id.h"
#include "fmt/format.h"

namespace potok::server {

namespace {

constexpr std::array kAdjectives = {
    "amber", "bold",  "brave", "bright", "calm",  "clever", "cool",  "coral",  "crisp",  "deep",
    "eager", "fair",  "fancy", "gentle", "glad",  "golden", "green", "happy",  "honest", "ivory",
    "jolly", "keen",  "kind",  "lively", "lucid", "mellow", "merry", "neat",   "noble",  "olive",
    "plain", "proud", "quick", "quiet",  "rapid", "ready",  "sharp", "silver", "smart",  "sunny",
    "swift", "tidy",  "true",  "vivid",  "warm",  "wise",   "witty", "young"};
constexpr std::array kNouns = {
    "anchor", "apple",   "arch",   "badger", "beach",  "bird",   "bridge", "brook",
    "canal",  "cedar",   "cloud",  "comet",  "creek",  "dune",   "eagle",  "falcon",
    "fern",   "field",   "forest", "garden", "harbor", "heron",  "hill",   "island",
    "lake",   "lantern", "leaf",   "maple",  "meadow", "moon",   "oak",    "orchard",
    "otter",  "pine",    "planet", "pond",   "rain",   "reef",   "river",  "robin",
    "sail",   "spruce",  "star",   "stone",  "stream", "valley", "willow", "wind"};

template <std::size_t N>
const char* Pick(const std::array<const char*, N>& words) {
  const std::string id = RandomId(3);
  std::size_t number = 0;
  for (const char c : id) {
    number = number * 36 + static_cast<std::size_t>(std::isdigit(static_cast<unsigned char>(c)) != 0
                                                        ? c - '0'
                                                        : c - 'a' + 10);
  }
  return words[number % N];
}

}  // namespace

std::string MakeRunName() {
  return fmt::format("{}_{}_{}", Pick(kAdjectives), Pick(kNouns), RandomId(10));
}

std::string StepJobName(const PipelineSpec& spec, const std::string& run, const std::string& step) {
  return spec.is_pipeline ? fmt::format("{}_{}", run, step) : run;
}

absl::Status CheckRunName(const std::string& name) {
  const bool good = !name.empty() && name.size() <= 255 &&
                    std::isalnum(static_cast<unsigned char>(name[0])) != 0 &&
                    std::ranges::all_of(name, [](unsigned char c) {
                      return std::isalnum(c) != 0 || c == '_' || c == '-';
                    });
  if (good) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("'{}' is no name for a run: use letters, digits, '_' and '-', at most 255, and "
                  "start with a letter or digit",
                  name.substr(0, 100)));
}

}  // namespace potok::server
