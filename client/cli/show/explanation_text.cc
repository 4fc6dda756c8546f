#include "client/cli/show/explanation_text.h"

#include <algorithm>

#include "absl/time/time.h"
#include "client/cli/text/printable.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

const char* WordFor(v1::StepExplanation::Verdict verdict, Tense tense) {
  const bool past = tense == Tense::kPast;
  switch (verdict) {
    case v1::StepExplanation::VERDICT_REUSED:
      return past ? "reused" : "will be reused";
    case v1::StepExplanation::VERDICT_RUNS:
      return past ? "ran" : "will run";
    case v1::StepExplanation::VERDICT_UNKNOWN:
      return "not known yet";
    case v1::StepExplanation::VERDICT_NOT_RUN:
      return past ? "did not run" : "will not run";
    default:
      return "?";
  }
}

std::string SourceOf(const v1::StepExplanation& step) {
  return step.from_run().empty() ? "" : step.from_run() + "/" + step.from_step();
}

std::string DifferenceText(const v1::FieldDifference& difference) {
  std::string text = "    " + Printable(difference.field()) + ": ";
  if (!difference.files().empty()) {
    for (int i = 0; i < difference.files_size(); ++i) {
      text += (i == 0 ? "" : ", ") + Printable(difference.files(i));
    }
    return text + "\n";
  }
  if (difference.was().empty())
    return text + "now " + Printable(difference.now()) + ", was not there\n";
  if (difference.now().empty())
    return text + "was " + Printable(difference.was()) + ", is not there\n";
  return text + "was " + Printable(difference.was()) + "\n" +
         std::string(6 + difference.field().size(), ' ') + "now " + Printable(difference.now()) +
         "\n";
}

std::string StepText(const v1::StepExplanation& step, std::size_t width, Tense tense) {
  const std::string name = Printable(step.step());
  std::string text = fmt::format("{}{}  {}",
                                 name,
                                 std::string(width - std::min(width, name.size()), ' '),
                                 WordFor(step.verdict(), tense));
  const std::string source = SourceOf(step);
  if (step.verdict() == v1::StepExplanation::VERDICT_REUSED) {
    if (!source.empty()) text += " from " + Printable(source);
    if (step.saved_us() > 0)
      text += ", saves " + ShortDuration(absl::Microseconds(step.saved_us()));
    return text + "\n";
  }
  text += ": " + Printable(step.reason());
  if (!step.differences().empty() && !source.empty()) text += " (" + Printable(source) + ")";
  text += "\n";
  for (const v1::FieldDifference& difference : step.differences()) {
    text += DifferenceText(difference);
  }
  for (const std::string& line : step.waiting()) {
    text += "    " + Printable(line) + "\n";
  }
  return text;
}

Value DifferenceObject(const v1::FieldDifference& difference) {
  Array files;
  for (const std::string& file : difference.files()) files.emplace_back(file);
  return Value(Object{{"field", difference.field()},
                      {"was", TextOrNothing(difference.was())},
                      {"now", TextOrNothing(difference.now())},
                      {"files", std::move(files)}});
}

const char* NameFor(v1::StepExplanation::Verdict verdict) {
  switch (verdict) {
    case v1::StepExplanation::VERDICT_REUSED:
      return "reused";
    case v1::StepExplanation::VERDICT_RUNS:
      return "runs";
    case v1::StepExplanation::VERDICT_NOT_RUN:
      return "not_run";
    default:
      return "unknown";
  }
}

}  // namespace

std::string ExplanationText(const v1::ExplainResponse& response, Tense tense) {
  std::size_t width = 0;
  int reused = 0;
  for (const v1::StepExplanation& step : response.steps()) {
    width = std::max(width, Printable(step.step()).size());
    if (step.verdict() == v1::StepExplanation::VERDICT_REUSED) ++reused;
  }
  width = std::min<std::size_t>(width, 40);
  std::string text;
  for (const v1::StepExplanation& step : response.steps()) text += StepText(step, width, tense);
  return text + fmt::format("{} of {} steps {}\n",
                            reused,
                            response.steps_size(),
                            tense == Tense::kPast ? "reused" : "will be reused");
}

Value ExplanationObject(const v1::ExplainResponse& response) {
  Array steps;
  for (const v1::StepExplanation& step : response.steps()) {
    Array differences;
    for (const v1::FieldDifference& difference : step.differences()) {
      differences.push_back(DifferenceObject(difference));
    }
    Array waiting;
    for (const std::string& line : step.waiting()) waiting.emplace_back(line);
    steps.emplace_back(Object{{"step", step.step()},
                              {"verdict", NameFor(step.verdict())},
                              {"reason", step.reason()},
                              {"from", TextOrNothing(SourceOf(step))},
                              {"saved_seconds", static_cast<double>(step.saved_us()) / 1e6},
                              {"differences", std::move(differences)},
                              {"waiting", std::move(waiting)}});
  }
  return Value(std::move(steps));
}

}  // namespace potok::client
