// How often, how long and whether at all a step runs.
#include <algorithm>
#include <cmath>

#include "common/pipeline/environment.h"
#include "common/pipeline/validation.h"
#include "fmt/format.h"

namespace potok {

namespace {

constexpr std::int32_t kAttemptsMax = 100;
constexpr std::int32_t kPriorityMax = 1000;
constexpr double kDelaySecondsMax = 30.0 * 24 * 3600;
constexpr double kBackoffMax = 100;
constexpr double kMemoryFactorMax = 16;

// Says `message` of the step's `rest` unless it holds.
class PolicyCheck {
 public:
  PolicyCheck(const SpecIndex& index, std::uint32_t step, Problems* problems)
      : index_(index), number_(step), step_(index.spec().steps[step]), problems_(problems) {}

  void Run() {
    CheckTimes();
    CheckRuntime();
    CheckRetry();
    CheckReuse();
    if (step_.finalizes) CheckFinalizer();
    if (std::abs(step_.priority) > kPriorityMax) {
      Error("priority",
            fmt::format("{} is no priority; write a whole number from -{} to {}",
                        step_.priority,
                        kPriorityMax,
                        kPriorityMax));
    }
  }

 private:
  void Error(const std::string& rest, const std::string& message) {
    problems_->Error(index_.Where(number_, rest), message);
  }

  void CheckRuntime() {
    const bool is_container = step_.isolation == "container";
    if (!step_.isolation.empty() && step_.isolation != "sandbox" && !is_container) {
      Error(
          "isolation",
          fmt::format("'{}' is no isolation; write sandbox, container, or none", step_.isolation));
    }
    if (is_container && ParseEnvironmentDefinition(step_.environment_definition).image.empty()) {
      Error("isolation", "a container needs an image; add environment: {image: ...}");
    }
    if (!step_.network.empty() && step_.network != "none") {
      Error("network", fmt::format("'{}' is no network; write none, or host", step_.network));
    }
    if (!step_.network.empty() && step_.instance_count > 1 && step_.control == nullptr) {
      Error("network", "the members of a step on several machines reach each other by network");
    }
  }

  void CheckTimes() {
    if (step_.timeout_seconds < 0) {
      Error("limits.timeout",
            fmt::format("{} seconds are negative; leave the limit out for none",
                        step_.timeout_seconds));
    }
    if (step_.queue_timeout_seconds < 0) {
      Error("queue_timeout",
            fmt::format("{} seconds are negative; leave the limit out for none",
                        step_.queue_timeout_seconds));
    }
  }

  void CheckRetry() {
    const RetryPolicy& retry = step_.retry;
    if (retry.max_attempts < 1 || retry.max_attempts > kAttemptsMax) {
      Error("retry.max_attempts",
            fmt::format("{} attempts are not possible; write 1 (no retry) to {}",
                        retry.max_attempts,
                        kAttemptsMax));
    }
    static const std::vector<std::string> causes = {"exit_code", "timeout", "oom", "machine_lost"};
    for (const std::string& cause : retry.on) {
      if (std::ranges::find(causes, cause) != causes.end()) continue;
      Error("retry.on",
            fmt::format("'{}' is no cause; write exit_code, timeout, oom or machine_lost", cause));
    }
    for (const std::int32_t code : retry.exit_codes) {
      if (code >= 1 && code <= 255) continue;
      Error("retry.exit_codes",
            fmt::format("{} is no exit code of a failure; they are 1 to 255", code));
    }
    const bool on_exit =
        retry.on.empty() || std::ranges::find(retry.on, "exit_code") != retry.on.end();
    if (!retry.exit_codes.empty() && !on_exit) {
      Error("retry.exit_codes", "these count only with exit_code among the causes; add it to on");
    }
    if (!(retry.delay_seconds >= 0 && retry.delay_seconds <= kDelaySecondsMax)) {
      Error(
          "retry.delay",
          fmt::format("{} seconds are no delay; write 0 seconds to 30 days", retry.delay_seconds));
    }
    if (!(retry.backoff >= 1 && retry.backoff <= kBackoffMax)) {
      Error("retry.backoff",
            fmt::format(
                "{} is no backoff; write 1 (the delay stays) to {}", retry.backoff, kBackoffMax));
    }
    CheckMemoryFactor();
  }

  void CheckMemoryFactor() {
    const RetryPolicy& retry = step_.retry;
    if (!(retry.memory_factor >= 1 && retry.memory_factor <= kMemoryFactorMax)) {
      Error("retry.memory_factor",
            fmt::format("{} is no factor for memory; write 1 (the memory stays) to {}",
                        retry.memory_factor,
                        kMemoryFactorMax));
      return;
    }
    if (retry.memory_factor == 1) return;
    if (step_.instance_count > 1) {
      Error("retry.memory_factor",
            fmt::format("the memory of a step on {} machines stays as it is; leave it out",
                        step_.instance_count));
    }
    if (!retry.on.empty() && std::ranges::find(retry.on, "oom") == retry.on.end()) {
      Error("retry.memory_factor",
            "it counts only with oom among the causes, after which there is another attempt; add "
            "it to on");
    }
    if (step_.resources.memory_bytes == 0) {
      Error("retry.memory_factor",
            "there is no memory that could grow; say how much the step needs (resources.memory)");
    }
  }

  void CheckReuse() {
    if (step_.reuse.max_age_seconds < 0) {
      Error("reuse.max_age",
            fmt::format("{} seconds are negative; leave it out for any age",
                        step_.reuse.max_age_seconds));
    }
    for (const std::string& name : step_.reuse.ignore_inputs) {
      if (index_.FindInput(number_, name)) continue;
      Error("reuse.ignore_inputs",
            fmt::format(
                "the step has no input '{}'{}", name, problems_->Suggestion(name, step_.inputs)));
    }
  }

  // Azure ML: on_finalize is isolated from the others (what it finalizes may not have been made).
  void CheckFinalizer() {
    for (const std::string& name : step_.depends_on) CheckFinalizes("depends_on", name);
  }
  void CheckFinalizes(const std::string& rest, const std::string& name) {
    const auto other = index_.FindStep(name);
    if (!other || index_.spec().steps[*other].finalizes) return;
    Error(rest,
          fmt::format("the step finalizes the run, which is after '{}' in any case; take it out",
                      name));
  }

  const SpecIndex& index_;
  const std::uint32_t number_;
  const Step& step_;
  Problems* problems_;
};

}  // namespace

void CheckPolicy(const SpecIndex& index, std::uint32_t step, Problems* problems) {
  PolicyCheck(index, step, problems).Run();
}

void CheckFinalizers(const SpecIndex& index,
                     const std::vector<StepReference>& references,
                     Problems* problems) {
  const std::vector<Step>& steps = index.spec().steps;
  for (const StepReference& reference : references) {
    const Step& step = steps[reference.step];
    const Step& source = steps[reference.source];
    if (step.finalizes == source.finalizes) continue;
    problems->Error(
        index.Where(reference.step,
                    reference.input ? "inputs." + step.inputs[*reference.input].name : "when"),
        fmt::format("'{}' runs when all others have ended (settings.on_finalize), so no data can "
                    "pass between it and '{}'",
                    step.finalizes ? step.name : source.name,
                    step.finalizes ? source.name : step.name));
  }
  for (std::uint32_t i = 0; i < steps.size(); ++i) {
    if (steps[i].finalizes) continue;
    for (const std::string& name : steps[i].depends_on) {
      const auto other = index.FindStep(name);
      if (!other || !steps[*other].finalizes) continue;
      problems->Error(index.Where(i, "depends_on"),
                      fmt::format("'{}' runs when all others have ended (settings.on_finalize), so "
                                  "none can wait for it",
                                  name));
    }
  }
}

}  // namespace potok
