// Steps that run on several machines at once (resources.instance_count): all of their members start
// together or none, and end together. Pure. docs/decisions/0038-gangs.md says why it is so.
//
// In the plan such a step is a control step (common/pipeline/control.h) whose body has a member for
// each machine, in the order of their ranks: "train[1]/rank0", "train[1]/rank1" are those of its
// first attempt. When one fails or loses its machine the others are stopped, and another attempt is
// one more body.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "server/domain/effect.h"
#include "server/domain/state.h"

namespace potok::server {

// Makes a control step of every step that runs a command on several machines, also in the bodies of
// loops and sweeps. What is known of the step as it was submitted stays true of it.
void FormGangs(std::vector<Step>* steps);

// Which member of which attempt a step is. All members have consecutive numbers.
struct Membership {
  std::uint32_t control = 0;  // the step that runs on several machines
  std::uint32_t first = 0;    // number of the member of rank 0
  std::uint32_t size = 0;
  std::uint32_t rank = 0;
};
// Nothing of a step that is no member.
std::optional<Membership> MembershipOf(const Plan& plan, std::uint32_t index);

// Of a member that has a machine, as its peers have. FAILED_PRECONDITION if one of those has none.
absl::StatusOr<GangFacts> GangFactsOf(const State& state,
                                      const RunRecord& run,
                                      std::uint32_t index);

}  // namespace potok::server
