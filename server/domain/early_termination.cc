#include "server/domain/early_termination.h"

#include <algorithm>
#include <cmath>

#include "fmt/format.h"

namespace potok::server {

namespace {

// Positive where `a` is worse than `b`. Two infinities of one sign are equal.
double Behind(double a, double b, bool maximize) {
  if (a == b) return 0;
  return maximize ? b - a : a - b;
}

std::string Bandit(const EarlyTermination& rule,
                   bool maximize,
                   const std::vector<TrialHistory>& trials,
                   std::size_t trial,
                   std::size_t interval) {
  const std::optional<double> own = trials[trial].values->BestOf(interval, maximize);
  std::optional<double> best = own;
  for (const TrialHistory& other : trials) {
    const std::optional<double> theirs = other.values->BestOf(interval, maximize);
    if (theirs.has_value() && (!best.has_value() || Behind(*best, *theirs, maximize) > 0)) {
      best = theirs;
    }
  }
  if (!own.has_value() || !best.has_value()) return "";
  const double factor = maximize ? 1 - 1 / (1 + rule.slack_factor) : rule.slack_factor;
  const double slack =
      rule.slack_factor > 0 ? std::abs(*best) * factor : std::max(rule.slack_amount, 0.0);
  if (Behind(*own, *best, maximize) <= slack) return "";
  return fmt::format(
      "bandit policy: {:.6g} at interval {} is behind the best, {:.6g}, by more than {:.6g}",
      *own,
      interval,
      *best,
      slack);
}

std::string MedianStopping(bool maximize,
                           const std::vector<TrialHistory>& trials,
                           std::size_t trial,
                           std::size_t interval) {
  std::vector<double> means;
  for (const TrialHistory& other : trials) {
    const std::size_t count = std::min(other.values->size(), interval);
    if (count == 0 || (count < interval && !other.has_ended)) continue;
    const double sum = other.values->SumOf(count);
    if (!std::isnan(sum)) means.push_back(sum / static_cast<double>(count));
  }
  const std::optional<double> own = trials[trial].values->BestOf(interval, maximize);
  if (!own.has_value() || means.empty()) return "";
  std::ranges::sort(means);
  const std::size_t half = means.size() / 2;
  const double median = means.size() % 2 == 1 ? means[half] : (means[half - 1] + means[half]) / 2;
  if (Behind(*own, median, maximize) <= 0) return "";
  return fmt::format(
      "median stopping policy: {:.6g} at interval {} is worse than the median of the means, {:.6g}",
      *own,
      interval,
      median);
}

std::string Truncation(const EarlyTermination& rule,
                       bool maximize,
                       const std::vector<TrialHistory>& trials,
                       std::size_t trial,
                       std::size_t interval) {
  const double own = trials[trial].values->At(interval - 1);
  std::size_t count = 0;
  std::size_t worse = 0;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    const bool counts = trials[i].values->size() >= interval &&
                        (i == trial || !rule.exclude_finished_jobs || !trials[i].has_ended);
    if (!counts) continue;
    ++count;
    const double theirs = trials[i].values->At(interval - 1);
    if (i != trial && (std::isnan(theirs) || Behind(theirs, own, maximize) > 0)) ++worse;
  }
  const std::size_t cut = count * static_cast<std::size_t>(rule.truncation_percentage) / 100;
  if (worse >= cut) return "";
  return fmt::format(
      "truncation selection policy: {:.6g} at interval {} is among the worst {} of {}",
      own,
      interval,
      cut,
      count);
}

}  // namespace

std::string WhyStopTrial(const EarlyTermination& rule,
                         bool maximize,
                         const std::vector<TrialHistory>& trials,
                         std::size_t trial) {
  const std::size_t interval = trials[trial].values->size();
  const auto every = static_cast<std::size_t>(std::max(rule.evaluation_interval, 1));
  const auto delay = static_cast<std::size_t>(std::max(rule.delay_evaluation, 0));
  if (interval == 0 || interval % every != 0 || interval < delay) return "";
  if (rule.policy == "bandit") return Bandit(rule, maximize, trials, trial, interval);
  if (rule.policy == "median_stopping") return MedianStopping(maximize, trials, trial, interval);
  if (rule.policy == "truncation_selection") {
    return Truncation(rule, maximize, trials, trial, interval);
  }
  return "";
}

}  // namespace potok::server
