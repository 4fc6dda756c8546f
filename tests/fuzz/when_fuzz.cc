// Conditions: a text, and after a zero byte one byte for each step's outcome. What is read is
// decided in every world, means the same when it is written again, and never changes its mind when
// more is known.
#include "common/pipeline/when.h"
#include "tests/fuzz/fuzz.h"

namespace potok {
namespace {

StepOutcome OutcomeOf(char byte) {
  return static_cast<StepOutcome>(static_cast<unsigned char>(byte) % 5);
}

// What each step of the world came to; a step is known by a letter of its name.
WhenScope ScopeOf(const std::string& world, bool is_later) {
  const auto outcome = [world, is_later](const std::string& step) {
    if (world.empty() || step.empty()) return StepOutcome::kSucceeded;
    const auto letter = static_cast<unsigned char>(step.back());
    const StepOutcome known = OutcomeOf(world[letter % world.size()]);
    return is_later && known == StepOutcome::kPending ? StepOutcome::kFailed : known;
  };
  WhenScope scope;
  for (const char c : world) scope.upstreams.push_back(outcome(std::string(1, c)));
  scope.outcome = outcome;
  scope.output = [outcome](const std::string& step, const std::string& output) {
    return outcome(step) == StepOutcome::kSucceeded ? std::optional(output) : std::nullopt;
  };
  scope.input = [](const std::string& input) {
    return input.size() % 2 == 0 ? std::optional(input) : std::nullopt;
  };
  return scope;
}

}  // namespace
}  // namespace potok

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace potok;
  const std::string bytes = TextOf(data, size);
  const std::size_t zero = bytes.find('\0');
  const std::string world = zero == std::string::npos ? "" : bytes.substr(zero + 1);
  const auto when = When::Parse(bytes.substr(0, zero));
  if (!when.ok()) return 0;
  const std::string text =
      when->Rewritten([](const WhenReference& reference) { return reference.text; });
  const auto again = When::Parse(text);
  POTOK_CHECK(again.ok() && again->Steps() == when->Steps());
  when->CheckTypes([](const WhenReference&) { return std::nullopt; }).IgnoreError();
  const Verdict now = when->Evaluate(ScopeOf(world, false));
  POTOK_CHECK(again->Evaluate(ScopeOf(world, false)) == now);
  const Verdict later = when->Evaluate(ScopeOf(world, true));
  POTOK_CHECK(now == Verdict::kWait || now == later);
  POTOK_CHECK(later != Verdict::kWait);
  // Beside something else it is still a condition, but for one that nests as deep as is allowed.
  if (text.size() < 90) POTOK_CHECK(When::Parse(BothWhen(text, "inputs.x == 1")).ok());
  return 0;
}
