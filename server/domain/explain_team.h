// What of teams keeps a step from being placed, for people. Pure.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/domain/state.h"

namespace potok::server {

// What a step waits for, because its team or user may have no more now, one line: "its team:
// vision has 16 of 16 GPUs of its quota in use, and the step asks for 2". Empty: for nothing of
// that kind.
std::string ExplainQuota(const State& state, const RunRecord& run, std::uint32_t index);

// Whose turn it is before a queued step's team and user, one line: "team vision (weight 3, holds
// 12.5%) is 2nd of 3 teams that wait with priority 0; of its 2 users that wait ann is the 1st".
// Empty where no others wait, or as ExplainPlace.
std::string ExplainTurn(const State& state, const StepKey& step, absl::Time now);

// OK if the submitter's team may ever have what each step of the plan asks for; else
// FAILED_PRECONDITION with a line for the first that it may not.
absl::Status CheckQuota(const State& state, const Plan& plan, const std::string& submitter);

// The same of what of the run has not ended, if all of it goes to the pool (empty: the default
// pool), and of the run's team.
absl::Status CheckQuotaIn(const State& state, const RunRecord& run, const std::string& pool);

}  // namespace potok::server
