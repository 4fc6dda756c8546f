#include "server/domain/sweep_model.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>

#include "absl/strings/numbers.h"
#include "server/domain/draw.h"
#include "server/domain/sweep_sampling.h"

namespace potok::server {

namespace {

constexpr std::size_t kTrialsBefore = 10;  // that are drawn at random
constexpr std::size_t kBestMax = 25;
// Of the others the latest count, so that a suggestion costs the same in a long sweep.
constexpr std::size_t kOthersMax = 100;
constexpr int kCandidates = 24;

struct Division {
  std::vector<const TriedTrial*> best;
  std::vector<const TriedTrial*> others;
};

Division Divide(const std::vector<TriedTrial>& tried, bool maximize) {
  Division division;
  std::vector<const TriedTrial*> measured;
  for (const TriedTrial& trial : tried) {
    const bool has_result = trial.result.has_value() && !std::isnan(*trial.result);
    (has_result ? measured : division.others).push_back(&trial);
  }
  if (measured.size() < kTrialsBefore) return {};
  std::ranges::stable_sort(measured, [&](const TriedTrial* a, const TriedTrial* b) {
    return maximize ? *a->result > *b->result : *a->result < *b->result;
  });
  const auto tenth =
      static_cast<std::size_t>(std::ceil(0.1 * static_cast<double>(measured.size())));
  const auto end = measured.begin() + static_cast<std::ptrdiff_t>(std::min(tenth, kBestMax));
  division.best.assign(measured.begin(), end);
  division.others.insert(division.others.end(), end, measured.end());
  // In the order in which they were made.
  std::ranges::sort(division.others);
  if (division.others.size() > kOthersMax) {
    division.others.erase(division.others.begin(), division.others.end() - kOthersMax);
  }
  return division;
}

const std::string* GivenText(const TriedTrial& trial, const std::string& name) {
  const auto found = std::ranges::find(*trial.values, name, &OutputValue::name);
  return found == trial.values->end() ? nullptr : std::get_if<std::string>(&found->value);
}

// --- Numbers, as parts of their interval: from 0 to 1

// Normal distributions around the points and a broad one around the middle, all cut off at the ends
// of the interval. Each is as broad as its point is far from the next one.
class Mixture {
 public:
  Mixture(std::vector<double> points, double least_deviation) {
    constexpr double kMiddle = 0.5;
    points.push_back(kMiddle);
    std::ranges::sort(points);
    const std::size_t size = points.size();
    const double least =
        std::max(least_deviation, 1.0 / static_cast<double>(std::min<std::size_t>(100, size + 1)));
    bool has_broad = false;
    for (std::size_t i = 0; i < size; ++i) {
      if (points[i] == kMiddle && !has_broad) {
        has_broad = true;
        Add(kMiddle, 1);
        continue;
      }
      const double left = i > 0 ? points[i] - points[i - 1] : 0;
      const double right = i + 1 < size ? points[i + 1] - points[i] : 0;
      Add(points[i], std::clamp(std::max(left, right), least, 1.0));
    }
  }

  double Draw(Draws& draws) const {
    const auto size = static_cast<double>(parts_.size());
    const auto which = static_cast<std::size_t>(draws.Next() * size);
    const Part& part = parts_[std::min(which, parts_.size() - 1)];
    const double share = part.share_below + draws.Next() * part.share_within;
    return std::clamp(part.mean + part.deviation * NormalQuantile(share), 0.0, 1.0);
  }

  double DensityAt(double x) const {
    double sum = 0;
    for (const Part& part : parts_) {
      const double away = (x - part.mean) / part.deviation;
      sum += std::exp(-away * away / 2) / (part.deviation * part.share_within);
    }
    return sum / static_cast<double>(parts_.size());
  }

 private:
  struct Part {
    double mean = 0;
    double deviation = 1;
    double share_below = 0;  // of the distribution, below the interval
    double share_within = 1;
  };

  void Add(double mean, double deviation) {
    const double below = NormalShare((0 - mean) / deviation);
    parts_.push_back({mean, deviation, below, NormalShare((1 - mean) / deviation) - below});
  }

  std::vector<Part> parts_;
};

struct Interval {
  double low = 0;
  double size = 1;
  double grain = 0;  // half a step of a quniform, as a part of the interval

  double PartOf(double value) const { return std::clamp((value - low) / size, 0.0, 1.0); }
};

Interval IntervalOf(const SearchParameter& parameter) {
  const auto number = [&](const char* name, double otherwise) {
    const auto found = parameter.numbers.find(name);
    return found == parameter.numbers.end() ? otherwise : found->second;
  };
  Interval interval;
  interval.low = number("min_value", 0);
  interval.size = number("max_value", 1) - interval.low;
  if (parameter.type == "quniform" && interval.size > 0) {
    interval.grain = std::clamp(number("q", 1) / interval.size / 2, 0.0, 1.0);
  }
  return interval;
}

std::vector<double> PointsOf(const std::vector<const TriedTrial*>& trials,
                             const std::string& name,
                             const Interval& interval) {
  std::vector<double> points;
  for (const TriedTrial* trial : trials) {
    const std::string* text = GivenText(*trial, name);
    double value = 0;
    if (text != nullptr && absl::SimpleAtod(*text, &value))
      points.push_back(interval.PartOf(value));
  }
  return points;
}

std::string SuggestNumber(const SearchParameter& parameter,
                          const Division& division,
                          Draws& draws) {
  const Interval interval = IntervalOf(parameter);
  const Mixture best(PointsOf(division.best, parameter.name, interval), interval.grain);
  const Mixture others(PointsOf(division.others, parameter.name, interval), interval.grain);
  std::string suggested;
  double suggested_ratio = -1;
  for (int i = 0; i < kCandidates; ++i) {
    const std::string text = ValueAt(parameter, best.Draw(draws), std::numbers::e);
    double value = 0;
    if (!absl::SimpleAtod(text, &value)) return text;
    const double part = interval.PartOf(value);  // a quniform has been rounded
    const double ratio = best.DensityAt(part) / others.DensityAt(part);
    if (ratio <= suggested_ratio) continue;
    suggested = text;
    suggested_ratio = ratio;
  }
  return suggested;
}

// --- Choices

// How often each value was given, and once more, so that none is given up for good.
std::vector<double> SharesOf(const std::vector<const TriedTrial*>& trials,
                             const SearchParameter& parameter) {
  std::vector<double> counts(parameter.values.size(), 1);
  auto sum = static_cast<double>(counts.size());
  for (const TriedTrial* trial : trials) {
    const std::string* text = GivenText(*trial, parameter.name);
    if (text == nullptr) continue;
    const auto found = std::ranges::find(parameter.values, *text);
    if (found == parameter.values.end()) continue;
    counts[static_cast<std::size_t>(found - parameter.values.begin())] += 1;
    sum += 1;
  }
  for (double& count : counts) count /= sum;
  return counts;
}

std::size_t DrawFrom(const std::vector<double>& shares, Draws& draws) {
  double left = draws.Next();
  for (std::size_t i = 0; i + 1 < shares.size(); ++i) {
    if (left < shares[i]) return i;
    left -= shares[i];
  }
  return shares.size() - 1;
}

std::string SuggestChoice(const SearchParameter& parameter,
                          const Division& division,
                          Draws& draws) {
  if (parameter.values.empty()) return "";
  const std::vector<double> best = SharesOf(division.best, parameter);
  const std::vector<double> others = SharesOf(division.others, parameter);
  std::size_t suggested = DrawFrom(best, draws);
  for (int i = 1; i < kCandidates; ++i) {
    const std::size_t candidate = DrawFrom(best, draws);
    const double gain = best[candidate] * others[suggested] - best[suggested] * others[candidate];
    if (gain > 0) suggested = candidate;
  }
  return parameter.values[suggested];
}

bool IsNumber(const SearchParameter& parameter) {
  const bool is_uniform = parameter.type == "uniform" || parameter.type == "quniform";
  return is_uniform && IntervalOf(parameter).size > 0;
}

}  // namespace

std::vector<OutputValue> SuggestTrial(const Sweep& sweep,
                                      std::uint64_t seed,
                                      std::uint32_t number,
                                      const std::vector<TriedTrial>& tried) {
  std::vector<OutputValue> values = SampleTrial(sweep, seed, number);
  const Division division = Divide(tried, sweep.maximize);
  if (division.best.empty()) return values;
  Draws draws(MixBits(seed ^ MixBits(number)));
  for (std::size_t i = 0; i < sweep.space.size(); ++i) {
    const SearchParameter& parameter = sweep.space[i];
    if (parameter.type == "choice") values[i].value = SuggestChoice(parameter, division, draws);
    if (IsNumber(parameter)) values[i].value = SuggestNumber(parameter, division, draws);
  }
  return values;
}

}  // namespace potok::server
