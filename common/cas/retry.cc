#include "common/cas/retry.h"

#include <algorithm>

namespace potok {

namespace {

// A store that fails like this time and again is broken, not away.
constexpr int kDoubtfulTriesMax = 5;

}  // namespace

void Retry::Moved() {
  moved_ = absl::Now();
  tries_ = 0;
}

bool Retry::Again(const absl::Status& failure) {
  switch (failure.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kAborted:
      break;
    // What gRPC makes of a reset stream.
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kCancelled:
      if (tries_ >= kDoubtfulTriesMax) return false;
      break;
    default:
      return false;
  }
  const absl::Duration longest =
      std::min(absl::Seconds(5), absl::Milliseconds(50) * (1 << std::min(tries_, 10)));
  const absl::Duration pause = longest * std::uniform_real_distribution(0.5, 1.0)(random_);
  if (absl::Now() + pause - moved_ > patience_) return false;
  ++tries_;
  absl::SleepFor(pause);
  return true;
}

}  // namespace potok
