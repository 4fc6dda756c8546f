// Search spaces as they arrive, in a pipeline: a valid one gives values that its inputs take, the
// same ones each time.
#include <cmath>

#include "common/pipeline/control.h"
#include "common/pipeline/validate.h"
#include "common/pipeline/value.h"
#include "common/rpc/pipeline_convert.h"
#include "server/domain/sweep_model.h"
#include "server/domain/sweep_sampling.h"
#include "tests/fuzz/fuzz.h"

namespace potok {
namespace {

constexpr std::uint32_t kTrials = 16;

bool IsValid(const PipelineSpec& spec) {
  for (const Problem& problem : Validate(spec)) {
    if (problem.severity == Severity::kError) return false;
  }
  return true;
}

const std::string& TextOfValue(const server::OutputValue& value) {
  return std::get<std::string>(value.value);
}

// What a trial is given is named as the space is, and can be read as what its input takes.
void CheckTrial(const Step& step,
                const Sweep& sweep,
                const std::vector<server::OutputValue>& values) {
  POTOK_CHECK(values.size() == sweep.space.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const SearchParameter& parameter = sweep.space[i];
    POTOK_CHECK(values[i].name == parameter.name);
    if (parameter.type == "choice") continue;
    const auto number = ParseNumber(TextOfValue(values[i]));
    POTOK_CHECK(number.has_value() && std::isfinite(*number));
    if (parameter.type == "randint") {
      POTOK_CHECK(*number >= 0 && *number < parameter.numbers.at("upper"));
    }
    if (parameter.type == "uniform") {
      POTOK_CHECK(*number >= parameter.numbers.at("min_value") &&
                  *number <= parameter.numbers.at("max_value"));
    }
    for (const Input& input : step.inputs) {
      if (input.name == parameter.name && input.type == ValueType::kInteger) {
        POTOK_CHECK(std::floor(*number) == *number);
      }
    }
  }
}

void CheckSweepOf(const Step& step, const Sweep& sweep, std::uint64_t seed) {
  const std::uint32_t trials = server::TrialsOf(sweep);
  POTOK_CHECK(trials > 0);
  std::vector<std::vector<server::OutputValue>> given;
  for (std::uint32_t i = 0; i < std::min(trials, kTrials); ++i) {
    given.push_back(server::SampleTrial(sweep, seed, i));
    POTOK_CHECK(server::SampleTrial(sweep, seed, i) == given.back());
    CheckTrial(step, sweep, given.back());
  }
  if (sweep.algorithm != "bayesian") return;
  std::vector<server::TriedTrial> tried;
  for (std::size_t i = 0; i < given.size(); ++i) {
    tried.push_back({&given[i], static_cast<double>((i * 7) % 5)});
  }
  CheckTrial(step, sweep, server::SuggestTrial(sweep, seed, kTrials, tried));
}

}  // namespace
}  // namespace potok

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace potok;
  v1::PipelineSpec message;
  if (!ReadMessage(TextOf(data, size), &message)) return 0;
  const auto spec = FromProto(message);
  if (!spec.ok() || !IsValid(*spec)) return 0;
  for (const Step& step : spec->steps) {
    if (step.control == nullptr) continue;
    const Sweep* sweep = std::get_if<Sweep>(&step.control->kind);
    if (sweep != nullptr) CheckSweepOf(step, *sweep, server::SeedOf("run", step.name));
  }
  return 0;
}
