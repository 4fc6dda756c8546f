// How others hear of metrics as steps log them: a sweep of its trials' primary metric. Nobody who
// wants nothing costs anything.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "common/base/attempt.h"

namespace potok::server {

// One value that an attempt logged, once it is stored.
struct LoggedMetric {
  AttemptKey attempt;
  std::string name;
  double value = 0;               // may be NaN or infinite
  std::int64_t step = 0;          // as the program counts, MLflow's `step`
  std::int64_t timestamp_ms = 0;  // Unix, of the program's clock
  // Which of the attempt's values of this metric it is, from 1: the interval that rules of early
  // termination count.
  std::int64_t count = 0;
};

// Told of each value at least once, those of one attempt and metric in the order of their counts:
// after a restart, and after a connection that was cut, it may hear again what it knows, under the
// same count. Called on the thread that writes metrics; must not block: post it on.
using MetricSink = std::function<void(const LoggedMetric&)>;

// What is wanted. Thread-safe; never blocks.
class WantedMetrics {
 public:
  virtual ~WantedMetrics() = default;

  // From now on the sink hears of this metric of the step, of every attempt: first of all that is
  // stored, then of each new value. Only what the step's own MLflow run logs counts, not runs
  // below it. Wanting something again tells all of it again. What is wanted is not stored: say it
  // again after a restart.
  virtual void Want(const StepKey& step, const std::string& name) = 0;

  // Tells once what is stored of the metric of the attempt `from`, as if `as` had logged it: of a
  // step that took the result of another. What `as` logs is wanted no less or more by it.
  virtual void Recall(const AttemptKey& from, const AttemptKey& as, const std::string& name) = 0;

  // Forgets the step. A value that is on its way may still be told.
  virtual void Forget(const StepKey& step) = 0;
};

}  // namespace potok::server
