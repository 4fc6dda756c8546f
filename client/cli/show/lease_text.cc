#include "client/cli/show/lease_text.h"

#include "fmt/format.h"

namespace potok::client {

std::string LeaseText(std::int64_t lease_ms) {
  if (lease_ms <= 0) return "never";
  struct Unit {
    char letter;
    std::int64_t ms;
  };
  std::string text;
  for (const Unit unit : {Unit{'d', 86'400'000}, Unit{'h', 3'600'000}, Unit{'m', 60'000}}) {
    if (lease_ms >= unit.ms) text += fmt::format("{}{}", lease_ms / unit.ms, unit.letter);
    lease_ms %= unit.ms;
  }
  if (lease_ms > 0) text += fmt::format("{:g}s", static_cast<double>(lease_ms) / 1000);
  return text;
}

}  // namespace potok::client
