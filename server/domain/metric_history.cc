#include "server/domain/metric_history.h"

#include <algorithm>
#include <cmath>

namespace potok::server {

void MetricHistory::Add(double value) {
  if (entries_.empty()) {
    entries_.push_back({value, value, value, value});
    return;
  }
  const Entry& before = entries_.back();
  // Of a number and none the number.
  entries_.push_back(
      {value, std::fmin(before.least, value), std::fmax(before.most, value), before.sum + value});
}

std::optional<double> MetricHistory::BestOf(std::size_t intervals, bool maximize) const {
  const std::size_t count = std::min(intervals, entries_.size());
  if (count == 0) return std::nullopt;
  const Entry& entry = entries_[count - 1];
  const double best = maximize ? entry.most : entry.least;
  if (std::isnan(best)) return std::nullopt;
  return best;
}

double MetricHistory::SumOf(std::size_t intervals) const {
  return intervals == 0 ? 0 : entries_[intervals - 1].sum;
}

}  // namespace potok::server
