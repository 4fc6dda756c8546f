// Which steps of a plan would be reused, were it submitted now. Blocks on the database and the
// store.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "server/domain/plan.h"
#include "server/domain/result.h"
#include "server/domain/state.h"
#include "server/reuse/result_search.h"

namespace potok::server {

struct Foresight {
  FoundResults found;
  // As the run would be if all that was found is taken: those steps Succeeded, all others Blocked.
  RunRecord run;
  // Of steps whose inputs are known and that are not in `found`: why not.
  std::map<std::uint32_t, ResultLack> lacks;
};

// Walks the plan from its roots as far as results are found. Steps with a condition, loops and what
// comes behind them are left to the run itself.
absl::StatusOr<Foresight> Foresee(const std::shared_ptr<const Plan>& plan, ResultSearch& search);

// PrefixOf the fingerprints of the steps that need no others: where none of them is offered,
// nothing is to be foreseen.
std::vector<std::uint64_t> PrefixesOfRoots(const std::shared_ptr<const Plan>& plan);

// A run of which nothing has begun.
RunRecord BlankRun(std::shared_ptr<const Plan> plan);

}  // namespace potok::server
