// Completed steps whose outputs others may take instead of running. Values.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "absl/time/time.h"
#include "common/base/attempt.h"
#include "server/domain/step_state.h"

namespace potok::server {

// SHA-256 over what determines a step's outputs; fingerprint.h.
using Fingerprint = std::array<std::uint8_t, 32>;

// What a completed step offers to equal ones. Not an outcome that was taken from another.
struct Offer {
  Fingerprint fingerprint{};
  std::uint64_t kin = 0;  // KinOf
  bool operator==(const Offer&) const = default;
};

// What was offered, as it is found again.
struct Result {
  AttemptKey made_by;
  std::vector<OutputValue> outputs;
  absl::Time ended;
  std::int64_t duration_us = 0;  // that the command took
};

struct FoundResult {
  Fingerprint fingerprint{};
  Result result;
};
// By position in the plan.
using FoundResults = std::map<std::uint32_t, FoundResult>;

// Why there was a result and it was not taken.
enum class ResultLack : std::uint8_t {
  kNone,  // none was found, or none was looked for
  kTooOld,
  kBytesGone,
};

}  // namespace potok::server
