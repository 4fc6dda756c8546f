#include "server/domain/satisfiable.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "common/pipeline/control.h"
#include "fmt/format.h"
#include "fmt/ranges.h"
#include "server/domain/fit.h"
#include "server/domain/kept_off.h"
#include "server/domain/placement.h"
#include "server/domain/survey.h"

namespace potok::server {

namespace {

constexpr std::size_t kLinesMax = 20;

// "runs as 3 members at once; 2 machines together could hold 1"
std::string Several(const Survey& survey, const Shape& shape, const char* what) {
  return fmt::format("runs as {} members at once; {} together {} {}",
                     shape.machines,
                     Plural(survey.with_labels, "machine"),
                     what,
                     survey.members);
}

std::string WantedLabels(const Shape& shape) {
  std::string labels;
  for (const auto& [name, value] : shape.labels) {
    labels += fmt::format("{}{}={}", labels.empty() ? "" : ", ", name, value);
  }
  return labels;
}

// What the shape asks of the machine's labels and is false.
std::vector<std::string> FalseOf(const MachineRecord& machine, const Shape& shape) {
  std::vector<std::string> wrong = shape.expression.WhyNot(machine.labels);
  for (const auto& [name, value] : shape.labels) {
    const auto it = machine.labels.find(name);
    if (it != machine.labels.end() && it->second == value) continue;
    wrong.push_back(it == machine.labels.end()
                        ? fmt::format("{}={} is false (there is no {})", name, value, name)
                        : fmt::format("{}={} is false ({} is {})", name, value, name, it->second));
  }
  return wrong;
}

// Of a pool none of whose machines has the labels.
std::string MissingLabels(const State& state,
                          const Pools& pools,
                          const Shape& shape,
                          std::size_t in_pool) {
  if (shape.expression.is_empty()) {
    return fmt::format(
        "none of {} carries the labels {}", Plural(in_pool, "machine"), WantedLabels(shape));
  }
  const std::string pool = pools.Resolve(shape.pool);
  const MachineRecord* nearest = nullptr;
  std::vector<std::string> least;
  for (const auto& [id, machine] : state.machines) {
    if (!IsKnown(machine) || !pools.Holds(machine, pool)) continue;
    std::vector<std::string> wrong = FalseOf(machine, shape);
    if (nearest != nullptr && least.size() <= wrong.size()) continue;
    nearest = &machine;
    least = std::move(wrong);
  }
  const std::string where =
      in_pool == 1 ? nearest->facts.name : nearest->facts.name + ", the nearest";
  return fmt::format("none of {} has the labels that it asks for: on {}, {}",
                     Plural(in_pool, "machine"),
                     where,
                     fmt::join(least, " and "));
}

std::string NobodyIn(const Pools& pools, const std::string& pool) {
  if (pool.empty()) return "no machine is in the default pool";
  const PoolChanged* registered = pools.Registered(pool);
  if (registered == nullptr || registered->selector.empty()) {
    return fmt::format("no machine is in pool '{}'", pool);
  }
  return fmt::format("no machine is in pool '{}': of none is {} true", pool, registered->selector);
}

// What of the step, or of its pool, demands one of the runtimes.
std::string DemandText(const Shape& shape, const Pools& pools) {
  const bool is_of_pool = shape.has_image && pools.ImagesIn(shape.pool) == PoolImages::kContainer;
  if (is_of_pool && shape.runtimes != std::set<std::string>{"container"}) {
    return fmt::format("has an environment with an image, which pool '{}' runs in a container",
                       shape.pool.empty() ? kDefaultPool : shape.pool);
  }
  return shape.runtimes.contains("sandbox") ? "asks for isolation or no network"
                                            : "asks for a container";
}

std::string MissingRuntime(const Shape& shape, const Pools& pools, std::size_t machines) {
  const std::set<std::string> runtimes = RuntimesOf(shape, pools);
  const bool needs_engine = !runtimes.contains("sandbox");
  return fmt::format("{}, and none of {} can run commands so ({}); {}, or see `potok machine show`",
                     DemandText(shape, pools),
                     Plural(machines, "machine"),
                     fmt::join(runtimes, " or "),
                     needs_engine ? "start an agent there with --images=container"
                                  : "install bubblewrap there and start the agent again");
}

// Which steps could never run, and why: a line each, and each shape looked at once.
class Refusals {
 public:
  Refusals(const State& state, const Pools& pools, std::optional<std::string> moved_to)
      : state_(state), pools_(pools), moved_to_(std::move(moved_to)) {}

  // Empty: it fits.
  const std::string& ReasonOf(Shape shape) {
    if (moved_to_.has_value()) shape.pool = *moved_to_;
    const auto [it, is_new] = reasons_.try_emplace(std::move(shape));
    if (is_new) it->second = NeverFits(state_, pools_, it->first);
    return it->second;
  }
  void Add(const std::string& reason, const std::string& name) {
    if (reason.empty() || ++count_ > kLinesMax) return;
    lines_ += fmt::format("{}jobs.{}: {}", count_ == 1 ? "" : "\n", name, reason);
  }
  // Of all steps of its body that run commands, bodies within it too; `compute` is its own, or what
  // is around it.
  void AddBody(const Step& control, const std::string& name, const std::string& compute) {
    for (const Step& step : control.control->body) {
      const std::string whole = step.name.empty() ? name : name + "/" + step.name;
      const std::string& own = step.compute.empty() ? compute : step.compute;
      if (IsControl(step) && !IsGang(step)) {
        AddBody(step, whole, own);
      } else {
        Add(ReasonOf(ShapeOf(own, step)), whole);
      }
    }
  }
  absl::Status Result() const {
    if (count_ == 0) return absl::OkStatus();
    if (count_ <= kLinesMax) return absl::FailedPreconditionError(lines_);
    return absl::FailedPreconditionError(
        fmt::format("{}\nand {} more", lines_, Plural(count_ - kLinesMax, "step")));
  }

 private:
  const State& state_;
  const Pools& pools_;
  std::optional<std::string> moved_to_;
  std::map<Shape, std::string> reasons_;
  std::string lines_;
  std::size_t count_ = 0;
};

absl::Status CheckAll(const State& state,
                      const Plan& plan,
                      const std::optional<std::string>& moved_to,
                      const DecideOptions& options) {
  const bool any = std::any_of(state.machines.begin(), state.machines.end(), [](const auto& entry) {
    return IsKnown(entry.second);
  });
  if (!any && plan.size() > 0) {
    return absl::UnavailableError(
        "no machine is known, so no step could run; start an agent (potok up starts one)");
  }
  const Pools pools(state, options);
  Refusals refusals(state, pools, moved_to);
  const std::string& around = plan.spec().settings.default_compute;
  std::vector<const std::string*> reasons(plan.shapes.size());  // by shape; null: not looked at
  for (std::uint32_t i = 0; i < plan.submitted(); ++i) {
    const Step& step = plan.definition(i);
    if (IsControl(step) && !IsGang(step)) {
      refusals.AddBody(step, plan.NameOf(i), step.compute.empty() ? around : step.compute);
      continue;
    }
    const std::uint32_t shape = plan.planned(i).shape;
    if (reasons[shape] == nullptr) reasons[shape] = &refusals.ReasonOf(plan.shapes[shape]);
    if (!reasons[shape]->empty()) refusals.Add(*reasons[shape], plan.NameOf(i));
  }
  return refusals.Result();
}

}  // namespace

std::string NeverFits(const State& state, const Pools& pools, const Shape& shape) {
  const Survey survey = Look(state, pools, shape, Against::kCapacity);
  if (!pools.Knows(shape.pool) && !pools.Resolve(shape.pool).empty()) {
    return NoSuchPool(pools, shape.pool);
  }
  if (survey.in_pool == 0) {
    return NobodyIn(pools, shape.pool);
  }
  if (survey.with_labels == 0) return MissingLabels(state, pools, shape, survey.in_pool);
  if (survey.with_runtime == 0) return MissingRuntime(shape, pools, survey.with_labels);
  const std::string beyond = BeyondLimits(pools, shape);
  if (!beyond.empty()) return beyond;
  const auto wanted = static_cast<std::size_t>(shape.machines);
  if (survey.lack == Resources{} && survey.members >= wanted) return "";
  if (survey.lack == Resources{}) return Several(survey, shape, "could hold");
  return Missing(survey, shape, "there") + " " + NearestOf(survey);
}

std::int64_t MostMemoryFor(const State& state, Shape shape, const DecideOptions& options) {
  const Pools pools(state, options);
  const std::string pool = pools.Resolve(shape.pool);
  shape.request.memory_bytes = 0;
  std::int64_t most = 0;
  for (const auto& [id, machine] : state.machines) {
    if (!IsKnown(machine) || !pools.Holds(machine, pool)) continue;
    if (!CouldHold(machine, shape, pools)) continue;
    most = std::max(most, machine.facts.capacity.memory_bytes);
  }
  return most;
}

absl::Status CheckSatisfiable(const State& state, const Plan& plan, const DecideOptions& options) {
  return CheckAll(state, plan, std::nullopt, options);
}

absl::Status CheckPool(const State& state,
                       const Plan& plan,
                       const std::string& pool,
                       const DecideOptions& options) {
  return CheckAll(state, plan, pool, options);
}

}  // namespace potok::server
