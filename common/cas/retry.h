// Trying again what a lost connection cut. Blocks between the tries.
#pragma once

#include <random>
#include <string>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace potok {

// True of what a lost connection or a store that is away gives: the same may succeed later.
bool IsTransient(const absl::Status& status);

// Decides about one piece of work; one thread.
class Retry {
 public:
  explicit Retry(absl::Duration patience)
      : patience_(patience), moved_(absl::Now()), random_(std::random_device()()) {}

  // Something was achieved: patience begins anew.
  void Moved();

  // True, after a pause, if what failed like this is to be tried again: some times in any
  // case, and as long as patience lasts. The pause doubles from
  // 50 ms to 5 s, less up to a half at random, so that many do not come back at once.
  bool Again(const absl::Status& failure);

  // `failure` with how long nothing moved and what to do, if it was for that that Again said no;
  // else as it is. `achieved` says how far the work is.
  absl::Status Explain(const absl::Status& failure, const std::string& achieved) const;

 private:
  const absl::Duration patience_;
  absl::Time moved_;
  int tries_ = 0;  // since something moved
  std::minstd_rand random_;
};

}  // namespace potok
