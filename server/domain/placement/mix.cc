#include "server/domain/placement/mix.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace potok::server::placing {

namespace {

constexpr double kUnitMax = 1e12;
constexpr double kForgotten = 1e-3;  // of a request

// Half octaves: what differs by less is one class.
std::int64_t HalfOctave(std::int64_t amount) {
  if (amount <= 0) return 0;
  const auto bits = static_cast<std::uint64_t>(amount);
  const auto width = static_cast<int>(std::bit_width(bits));
  const bool upper = width > 1 && ((bits >> (width - 2)) & 1U) != 0;
  return 2 * width + (upper ? 1 : 0);
}

Request PartOf(const Request& prior, std::int32_t parts) {
  Request part = prior;
  part.cpu_millis /= parts;
  part.memory_bytes /= parts;
  part.gpu_millis /= parts;
  return part;
}

}  // namespace

Mix::Mix(const Policy& policy)
    : cpu_only_weight_(policy.cpu_only_weight), growth_(std::exp2(1 / policy.half_life)) {}

void Mix::Saw(const Request& request, double count) {
  const double weight = (request.gpu_millis > 0 ? count : count * cpu_only_weight_) * unit_;
  if (weight > 0) {
    Sums& sums = classes_[{request.gpu_millis,
                           request.gpu_models,
                           request.gpu_memory_bytes,
                           request.demand,
                           HalfOctave(request.cpu_millis),
                           HalfOctave(request.memory_bytes)}];
    sums.count += weight;
    sums.cpu_millis += weight * request.cpu_millis;
    sums.memory_bytes += weight * static_cast<double>(request.memory_bytes);
  }
  unit_ *= growth_;
  if (unit_ > kUnitMax) Rescale();
}

void Mix::Rescale() {
  for (auto it = classes_.begin(); it != classes_.end();) {
    Sums& sums = it->second;
    sums.count /= unit_;
    sums.cpu_millis /= unit_;
    sums.memory_bytes /= unit_;
    it = sums.count < kForgotten ? classes_.erase(it) : std::next(it);
  }
  unit_ = 1;
}

std::vector<TypicalRequest> Mix::Typical(std::size_t count_max, const Request& prior) const {
  std::vector<TypicalRequest> typical;
  for (const auto& [key, sums] : classes_) {
    const double weight = sums.count / unit_;
    if (weight < kForgotten) continue;
    TypicalRequest& one = typical.emplace_back();
    one.weight = weight;
    std::int64_t cpu_octave = 0;
    std::int64_t memory_octave = 0;
    std::tie(one.request.gpu_millis,
             one.request.gpu_models,
             one.request.gpu_memory_bytes,
             one.request.demand,
             cpu_octave,
             memory_octave) = key;
    one.request.cpu_millis = static_cast<std::int32_t>(std::lround(sums.cpu_millis / sums.count));
    one.request.memory_bytes = std::llround(sums.memory_bytes / sums.count);
  }
  if (prior.gpu_millis > 0) {
    for (const std::int32_t parts : {1, 2, 4}) {
      typical.push_back({PartOf(prior, parts), 1.0 / 3});
    }
  }
  std::stable_sort(typical.begin(), typical.end(), [](const auto& one, const auto& other) {
    return one.weight > other.weight;
  });
  if (typical.size() > count_max) typical.resize(count_max);
  double sum = 0;
  for (const TypicalRequest& one : typical) sum += one.weight;
  for (TypicalRequest& one : typical) one.weight /= sum;
  return typical;
}

}  // namespace potok::server::placing
