// The search space, limits and rules of a sweep (Azure ML's: reference of the sweep job).
#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "common/pipeline/validation.h"
#include "fmt/format.h"

namespace potok {

namespace {

// The numbers that each type of search space has.
const std::map<std::string, std::vector<std::string>>& SpaceTypes() {
  static const std::map<std::string, std::vector<std::string>> types = {
      {"choice", {}},
      {"randint", {"upper"}},
      {"uniform", {"min_value", "max_value"}},
      {"loguniform", {"min_value", "max_value"}},
      {"quniform", {"min_value", "max_value", "q"}},
      {"qloguniform", {"min_value", "max_value", "q"}},
      {"normal", {"mu", "sigma"}},
      {"lognormal", {"mu", "sigma"}},
      {"qnormal", {"mu", "sigma", "q"}},
      {"qlognormal", {"mu", "sigma", "q"}}};
  return types;
}

// Beyond, a double no longer tells neighbouring integers apart (IEEE 754).
constexpr double kIntegerMax = 9007199254740992.0;

double NumberIn(const SearchParameter& parameter, const std::string& name) {
  const auto found = parameter.numbers.find(name);
  return found == parameter.numbers.end() ? 0 : found->second;
}

// The least and the most that can be sampled.
std::pair<double, double> SampledRange(const SearchParameter& parameter, double base) {
  std::string type = parameter.type;
  if (type == "randint") return {0, NumberIn(parameter, "upper") - 1};
  if (type.starts_with("q")) type = type.substr(1);
  const bool is_log = type.starts_with("log");
  double least = NumberIn(parameter, "min_value");
  double most = NumberIn(parameter, "max_value");
  if (type.ends_with("normal")) {
    // No quantile of 53 bits is farther from the mean.
    constexpr double kSigmasMax = 9;
    const double reach = kSigmasMax * NumberIn(parameter, "sigma");
    least = NumberIn(parameter, "mu") - reach;
    most = NumberIn(parameter, "mu") + reach;
  }
  if (!is_log) return {least, most};
  return {std::pow(base, least), std::pow(base, most)};
}

class SweepCheck {
 public:
  SweepCheck(const SpecIndex& index, std::uint32_t step, const Sweep& sweep, Problems* problems)
      : index_(index),
        number_(step),
        step_(index.spec().steps[step]),
        sweep_(sweep),
        problems_(problems) {}

  void Run() {
    if (sweep_.space.empty()) Error("search_space", "nothing is searched; add a parameter");
    std::set<std::string> names;
    for (const SearchParameter& parameter : sweep_.space) {
      if (!names.insert(parameter.name).second) {
        Error("search_space", fmt::format("there are two '{}'; rename one", parameter.name));
      }
      CheckParameter(parameter);
    }
    CheckAlgorithm();
    if (sweep_.primary_metric.empty()) {
      Error("objective.primary_metric",
            "there is no metric; name the one that the trials log and that decides");
    }
    CheckLimits();
    CheckEarlyTermination();
  }

 private:
  void Error(const std::string& rest, const std::string& message) {
    problems_->Error(index_.Where(number_, rest), message);
  }

  void CheckParameter(const SearchParameter& parameter) {
    const std::string where = "search_space." + parameter.name;
    const auto type = SpaceTypes().find(parameter.type);
    if (type == SpaceTypes().end()) {
      Error(where,
            fmt::format("'{}' is no type of search space; write choice, randint, uniform, "
                        "loguniform, quniform, qloguniform, normal, lognormal, qnormal or "
                        "qlognormal",
                        parameter.type));
      return;
    }
    const auto input = index_.FindInput(number_, parameter.name);
    if (!input) {
      Error(where,
            fmt::format("the trial has no input '{}'{}",
                        parameter.name,
                        problems_->Suggestion(parameter.name, step_.inputs)));
      return;
    }
    for (const std::string& number : type->second) {
      if (parameter.numbers.contains(number)) continue;
      Error(where, fmt::format("a {} has {}; it is missing", parameter.type, number));
      return;
    }
    CheckRange(parameter, where);
    CheckSampled(parameter, step_.inputs[*input], where);
    CheckFit(parameter, step_.inputs[*input], where);
  }

  void CheckRange(const SearchParameter& parameter, const std::string& where) {
    const auto has = [&](const char* name) { return parameter.numbers.contains(name); };
    if (parameter.type == "choice" && parameter.values.empty()) {
      Error(where, "there is nothing to choose from; list values");
    }
    if (has("min_value") &&
        !(NumberIn(parameter, "min_value") < NumberIn(parameter, "max_value"))) {
      Error(where,
            fmt::format("min_value, {}, is not below max_value, {}",
                        NumberIn(parameter, "min_value"),
                        NumberIn(parameter, "max_value")));
    }
    for (const char* name : {"q", "sigma"}) {
      if (has(name) && !(NumberIn(parameter, name) > 0)) {
        Error(where, fmt::format("{} is {}, and must be above 0", name, NumberIn(parameter, name)));
      }
    }
    if (has("upper") && !(NumberIn(parameter, "upper") >= 1)) {
      Error(where,
            fmt::format("upper is {}, and must be at least 1: values are below it",
                        NumberIn(parameter, "upper")));
    }
  }

  // What can be sampled must be a number, and of an integer one that there is.
  void CheckSampled(const SearchParameter& parameter,
                    const Input& input,
                    const std::string& where) {
    if (parameter.type == "choice") return;
    const auto [least, most] = SampledRange(parameter, sweep_.logbase.value_or(std::exp(1.0)));
    const double q = parameter.numbers.contains("q") ? NumberIn(parameter, "q") : 1;
    const double width = NumberIn(parameter, "max_value") - NumberIn(parameter, "min_value");
    // Rounded, a value may be farther out by up to q.
    bool is_finite = std::isfinite(most - least) && std::isfinite(width);
    for (const double bound : {least - q, most + q}) {
      is_finite = is_finite && std::isfinite(bound) && std::isfinite(bound / q);
    }
    const bool is_whole = parameter.type == "randint" || input.type == ValueType::kInteger;
    if (!is_finite || (is_whole && std::max(std::abs(least), std::abs(most)) > kIntegerMax)) {
      Error(where,
            fmt::format("values from {:g} to {:g} are searched, and some of them are too large to "
                        "be {}; narrow the search",
                        least,
                        most,
                        is_whole ? "integers" : "numbers"));
    } else if (is_whole && std::trunc(q) != q) {
      Error(where,
            fmt::format("q is {}, and input '{}' of the trial is an integer; write a whole number",
                        q,
                        input.name));
    }
  }

  // What can be sampled must be a value of the input.
  void CheckFit(const SearchParameter& parameter, const Input& input, const std::string& where) {
    if (!IsPrimitive(input.type)) {
      Error(where,
            fmt::format("input '{}' of the trial is {}, and only values are searched",
                        input.name,
                        NameOf(input.type)));
      return;
    }
    for (const std::string& value : parameter.values) {
      if (const absl::Status status = CheckValue(value, input); !status.ok()) {
        Error(where, std::string(status.message()));
      }
    }
    const bool is_number = input.type == ValueType::kNumber || input.type == ValueType::kString ||
                           (input.type == ValueType::kInteger &&
                            (parameter.type == "randint" || parameter.numbers.contains("q")));
    if (parameter.type != "choice" && !is_number) {
      Error(where,
            fmt::format("a {} gives numbers, and input '{}' of the trial is {}",
                        parameter.type,
                        input.name,
                        NameOf(input.type)));
    }
    if (is_number) CheckBounds(parameter, input, where);
  }

  // The least and the most that can be sampled against the least and the most that the input takes.
  void CheckBounds(const SearchParameter& parameter, const Input& input, const std::string& where) {
    double least = NumberIn(parameter, "min_value");
    double most = NumberIn(parameter, "max_value");
    if (parameter.type == "randint") {
      most = NumberIn(parameter, "upper") - 1;
    } else if (parameter.type == "loguniform" || parameter.type == "qloguniform") {
      least = std::exp(least);
      most = std::exp(most);
    } else if (parameter.type != "uniform" && parameter.type != "quniform") {
      return;  // a normal distribution has no bounds, and choices are checked one by one
    }
    // A bound that is written as a rounded logarithm is the bound itself.
    const auto near = [](double value) { return 1e-4 * std::abs(value); };
    if (input.min && least < *input.min - near(*input.min)) {
      Error(where,
            fmt::format("values from {:g} on are searched, and input '{}' of the trial takes none "
                        "below its minimum, {:g}",
                        least,
                        input.name,
                        *input.min));
    } else if (input.max && most > *input.max + near(*input.max)) {
      Error(where,
            fmt::format("values up to {:g} are searched, and input '{}' of the trial takes none "
                        "above its maximum, {:g}",
                        most,
                        input.name,
                        *input.max));
    }
  }

  void CheckAlgorithm() {
    const std::string& algorithm = sweep_.algorithm;
    if (algorithm != "random" && algorithm != "grid" && algorithm != "bayesian") {
      Error("sampling_algorithm",
            fmt::format("'{}' is no algorithm; write random, grid or bayesian", algorithm));
      return;
    }
    if (sweep_.logbase && !(*sweep_.logbase > 0 && std::isfinite(*sweep_.logbase))) {
      Error("sampling_algorithm.logbase",
            fmt::format("logbase is {}, and must be above 0", *sweep_.logbase));
    }
    if (algorithm == "random") {
      if (!sweep_.rule.empty() && sweep_.rule != "random" && sweep_.rule != "sobol") {
        Error("sampling_algorithm.rule",
              fmt::format("'{}' is no rule; write random or sobol", sweep_.rule));
      }
      return;
    }
    static const std::set<std::string> bayesian = {"choice", "uniform", "quniform"};
    for (const SearchParameter& parameter : sweep_.space) {
      const bool fits =
          algorithm == "grid" ? parameter.type == "choice" : bayesian.contains(parameter.type);
      if (fits || !SpaceTypes().contains(parameter.type)) continue;
      Error("search_space." + parameter.name,
            fmt::format("a {} is not searched by {}, which takes only {}; use random",
                        parameter.type,
                        algorithm,
                        algorithm == "grid" ? "choice" : "choice, uniform and quniform"));
    }
  }

  void CheckLimits() {
    if (sweep_.max_total_trials < 1) {
      Error("limits.max_total_trials",
            fmt::format("{} trials are not possible; write at least 1", sweep_.max_total_trials));
    }
    if (sweep_.max_concurrent_trials < 0) {
      Error("limits.max_concurrent_trials",
            fmt::format("{} at a time are not possible; leave it out for all",
                        sweep_.max_concurrent_trials));
    }
    if (sweep_.timeout_seconds < 0 || sweep_.trial_timeout_seconds < 0) {
      Error("limits", "a timeout is negative; leave it out for none");
    }
  }

  void CheckEarlyTermination() {
    const EarlyTermination& early = sweep_.early_termination;
    if (early.policy.empty()) return;
    if (early.policy == "bandit") {
      const bool one = (early.slack_factor > 0) != (early.slack_amount > 0);
      if (!one || early.slack_factor < 0 || early.slack_amount < 0) {
        Error("early_termination", "bandit has one of slack_factor and slack_amount, above 0");
      }
    } else if (early.policy == "truncation_selection") {
      if (early.truncation_percentage < 1 || early.truncation_percentage > 99) {
        Error("early_termination.truncation_percentage",
              fmt::format("{} is no percentage to cancel; write 1 to 99",
                          early.truncation_percentage));
      }
    } else if (early.policy != "median_stopping") {
      Error("early_termination.type",
            fmt::format("'{}' is no rule; write bandit, median_stopping or truncation_selection",
                        early.policy));
    }
    if (early.evaluation_interval < 1) {
      Error("early_termination.evaluation_interval",
            fmt::format("{} is no interval; write at least 1", early.evaluation_interval));
    }
    if (early.delay_evaluation < 0) {
      Error("early_termination.delay_evaluation",
            fmt::format("{} is negative; write 0 or more", early.delay_evaluation));
    }
  }

  const SpecIndex& index_;
  const std::uint32_t number_;
  const Step& step_;
  const Sweep& sweep_;
  Problems* problems_;
};

}  // namespace

void CheckSweep(const SpecIndex& index,
                std::uint32_t step,
                const Sweep& sweep,
                Problems* problems) {
  SweepCheck(index, step, sweep, problems).Run();
}

}  // namespace potok
