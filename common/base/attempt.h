// Which try of which step of which run.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace potok {

// The server's number of a run, unique for ever within one database.
using RunId = std::int64_t;

// A step of a run: its position in the plan.
struct StepKey {
  RunId run = 0;
  std::uint32_t index = 0;
  auto operator<=>(const StepKey&) const = default;
};

// One try of a step, numbered from 1. The number is the fence against late reports.
struct AttemptKey {
  RunId run = 0;
  std::uint32_t index = 0;
  std::uint32_t attempt = 0;

  StepKey step() const { return {run, index}; }
  auto operator<=>(const AttemptKey&) const = default;
};

// "run.index.attempt": a folder name, and the value of POTOK_FENCE.
std::string ToString(const AttemptKey& key);

}  // namespace potok
