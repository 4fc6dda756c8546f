#include "client/cli/show/job_file_blocks.h"

#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "common/pipeline/control.h"
#include "common/pipeline/when.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

struct Answer {
  std::string condition;
  bool taken = false;
  std::string rest;  // the `when` before
};

// Splits "(REST) and jobs.CONDITION.outputs.taken == true", of which the first part may be missing.
std::optional<Answer> LastAnswer(const std::string& when) {
  Answer answer;
  absl::string_view text = when;
  answer.taken = absl::ConsumeSuffix(&text, " == true");
  if (!answer.taken && !absl::ConsumeSuffix(&text, " == false")) return std::nullopt;
  if (!absl::ConsumeSuffix(&text, fmt::format(".outputs.{}", kTakenOutput))) return std::nullopt;
  const std::size_t name = text.rfind("jobs.");
  if (name == absl::string_view::npos) return std::nullopt;
  answer.condition = std::string(text.substr(name + 5));
  text = text.substr(0, name);
  const std::string added = when.substr(name);
  if (absl::ConsumeSuffix(&text, " and ")) {
    if (!absl::ConsumeSuffix(&text, "()")) {
      absl::ConsumePrefix(&text, "(");
      absl::ConsumeSuffix(&text, ")");
    }
  }
  answer.rest = std::string(text);
  if (BothWhen(answer.rest, added) != when) return std::nullopt;
  return answer;
}

}  // namespace

Decided FindBlocks(const std::vector<Step>& steps) {
  Decided decided;
  std::map<std::string, std::size_t> conditions;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const Control* control = steps[i].control.get();
    if (control != nullptr && std::holds_alternative<Condition>(control->kind)) {
      conditions.emplace(steps[i].name, i);
    }
  }
  for (const Step& step : steps) {
    std::string when = step.when;
    std::size_t before = steps.size();
    // Blocks are read in the order of their conditions, so that the last one stands outermost.
    for (std::optional<Answer> answer = LastAnswer(when); answer; answer = LastAnswer(when)) {
      const auto condition = conditions.find(answer->condition);
      if (condition == conditions.end() || condition->second >= before) break;
      before = condition->second;
      Blocks& blocks = decided.blocks[answer->condition];
      (answer->taken ? blocks.when_true : blocks.when_false).push_back(step.name);
      when = answer->rest;
    }
    decided.own_when[step.name] = when;
  }
  return decided;
}

}  // namespace potok::client
