// What a trial of a sweep logged of its metric, interval by interval. The best and the sum of the
// first so many values are there without a walk over them: rules ask for those of all trials each
// time that one of them logs. Plain value; one thread.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace potok::server {

class MetricHistory {
 public:
  MetricHistory() = default;
  explicit MetricHistory(const std::vector<double>& values) {
    for (const double value : values) Add(value);
  }

  // As the next interval's.
  void Add(double value);
  void Clear() { entries_.clear(); }

  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  // Of the interval, from 0.
  double At(std::size_t interval) const { return entries_[interval].value; }

  // The best of the first `intervals` values, or of all if there are fewer; values that are no
  // number count for nothing. Nothing if there is none.
  std::optional<double> BestOf(std::size_t intervals, bool maximize) const;
  // The sum of the first `intervals` values, of which there are as many; no number if one of them
  // is none.
  double SumOf(std::size_t intervals) const;

 private:
  struct Entry {
    double value = 0;
    double least = 0;  // of this and all before; no number if they all are none
    double most = 0;
    double sum = 0;
  };
  std::vector<Entry> entries_;
};

}  // namespace potok::server
