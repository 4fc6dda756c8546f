#include "server/reuse/foresee.h"

#include <utility>

#include "common/base/status_macros.h"
#include "server/domain/fingerprint.h"
#include "server/domain/order.h"

namespace potok::server {

namespace {

bool IsForeseeable(const PipelineSpec& spec, const Step& step) {
  return IsReusable(step) && !IsForced(spec, step) && step.when.empty() && !step.finalizes;
}

// The dependents of a step that succeeded which now have all they need.
void Release(RunRecord& run, std::uint32_t index, std::vector<std::uint32_t>* ready) {
  for (const std::uint32_t dependent : run.plan->planned(index).dependents) {
    if (--run.steps[dependent].waiting_for == 0) ready->push_back(dependent);
  }
}

}  // namespace

RunRecord BlankRun(std::shared_ptr<const Plan> plan) {
  RunRecord run;
  run.plan = std::move(plan);
  run.steps.resize(run.plan->size());
  for (std::uint32_t i = 0; i < run.steps.size(); ++i) {
    run.steps[i].waiting_for = static_cast<std::uint32_t>(run.plan->planned(i).upstreams.size());
  }
  return run;
}

std::vector<std::uint64_t> PrefixesOfRoots(const std::shared_ptr<const Plan>& plan) {
  std::vector<std::uint64_t> prefixes;
  const RunRecord run = BlankRun(plan);
  for (std::uint32_t i = 0; i < plan->size(); ++i) {
    if (!plan->IsRoot(i) || !IsForeseeable(plan->spec(), plan->definition(i))) continue;
    const auto inputs = ResolveInputs(run, i);
    if (inputs.ok()) prefixes.push_back(PrefixOf(FingerprintOf(plan->definition(i), *inputs)));
  }
  return prefixes;
}

absl::StatusOr<Foresight> Foresee(const std::shared_ptr<const Plan>& plan, ResultSearch& search) {
  Foresight foresight;
  foresight.run = BlankRun(plan);
  std::vector<std::uint32_t> ready;
  for (std::uint32_t i = 0; i < plan->size(); ++i) {
    if (plan->IsRoot(i)) ready.push_back(i);
  }
  while (!ready.empty()) {
    std::vector<std::uint32_t> asked;
    std::vector<ResultWish> wishes;
    for (const std::uint32_t index : ready) {
      const Step& step = plan->definition(index);
      if (!IsForeseeable(plan->spec(), step)) continue;
      const auto inputs = ResolveInputs(foresight.run, index);
      if (!inputs.ok()) continue;
      asked.push_back(index);
      wishes.push_back({FingerprintOf(step, *inputs), MaxAgeOf(step)});
    }
    POTOK_ASSIGN_OR_RETURN(std::vector<ResultAnswer> answers, search.Find(wishes));
    ready.clear();
    for (std::size_t i = 0; i < asked.size(); ++i) {
      const std::uint32_t index = asked[i];
      if (!answers[i].result.has_value()) {
        foresight.lacks[index] = answers[i].lack;
        continue;
      }
      Result& result = *answers[i].result;
      foresight.run.steps[index].SetState(
          Succeeded{0, result.outputs, Reused{result.made_by, result.duration_us}});
      foresight.found[index] = {wishes[i].fingerprint, std::move(result)};
      Release(foresight.run, index, &ready);
    }
  }
  return foresight;
}

}  // namespace potok::server
