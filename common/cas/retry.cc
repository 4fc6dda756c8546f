#include "common/cas/retry.h"

#include <algorithm>

#include "fmt/format.h"

namespace potok {

namespace {

// A store that fails like this time and again is broken, not away.
constexpr int kDoubtfulTriesMax = 5;
// A machine that slept finds its patience gone and its connections dead, but the store well.
constexpr int kTriesMin = 4;

// What gRPC makes of a reset stream.
bool IsDoubtful(const absl::Status& status) {
  return absl::IsInternal(status) || absl::IsUnknown(status) || absl::IsCancelled(status);
}

}  // namespace

bool IsTransient(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsAborted(status) || IsDoubtful(status);
}

void Retry::Moved() {
  moved_ = absl::Now();
  tries_ = 0;
}

bool Retry::Again(const absl::Status& failure) {
  if (!IsTransient(failure)) return false;
  if (IsDoubtful(failure) && tries_ >= kDoubtfulTriesMax) return false;
  const absl::Duration longest =
      std::min(absl::Seconds(5), absl::Milliseconds(50) * (1 << std::min(tries_, 10)));
  const absl::Duration pause = longest * std::uniform_real_distribution(0.5, 1.0)(random_);
  if (tries_ >= kTriesMin && absl::Now() + pause - moved_ > patience_) return false;
  ++tries_;
  absl::SleepFor(pause);
  return true;
}

absl::Status Retry::Explain(const absl::Status& failure, const std::string& achieved) const {
  if (!IsTransient(failure)) return failure;
  return absl::Status(
      failure.code(),
      fmt::format(
          "{}; {}, and nothing moved for {}: is the store running and reachable? Trying "
          "again goes on from there",
          std::string(failure.message()),
          achieved,
          absl::FormatDuration(absl::Trunc(absl::Now() - moved_, absl::Milliseconds(100)))));
}

}  // namespace potok
