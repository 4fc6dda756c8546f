// The decision core: events in, changes and effects out. Pure and deterministic: time is a
// parameter, ties break by run, then by position, then by machine number; nothing iterates in hash
// order.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/domain/change.h"
#include "server/domain/effect.h"
#include "server/domain/event.h"
#include "server/domain/state.h"

namespace potok::server {

// The leases: docs/decisions/0009-leases.md.
struct DecideOptions {
  absl::Duration silent_after = absl::Seconds(20);
  // L, of machines whose pools say no other; InfiniteDuration: only a person ends attempts.
  absl::Duration lease = absl::Minutes(10);
  absl::Duration lease_grace = absl::Seconds(30);  // G
  std::uint32_t machine_lost_max = 3;              // then the step fails
  // Whether steps that were forced to run (force_rerun) offer what they made. Azure ML: no.
  bool forced_results_offered = true;
  // A machine that loses attempts at that many moments, or begins that many sessions, within the
  // window gets no new steps for a while. A count of 0: never. design.md, Containment.
  std::uint32_t losses_max = 3;
  absl::Duration losses_window = absl::Minutes(5);
  std::uint32_t sessions_max = 20;
  absl::Duration sessions_window = absl::Minutes(10);
  absl::Duration quarantine = absl::Minutes(10);
  // Pools with other names than machines have mean the default pool (the embedded stack).
  bool unknown_pool_is_default = false;
  std::uint32_t pending_runs_max = 0;  // of one submitter: that have not begun; 0: no limit
};

struct Decision {
  std::vector<Change> changes;  // already applied to the state
  std::vector<Effect> effects;  // to be said after the commit
  // Not stored, for logs and metrics: stale reports, refused sessions, what failed internally.
  std::uint32_t stale_reports = 0;
  std::vector<std::string> internal_errors;
};

// One turn: each event in order, then leases (if there was a Tick), then one placement pass.
// Changes are applied to `state` as they are decided, so that the next event sees them; the caller
// commits them and only then says the effects. If the commit is found never to have happened for
// good (another writer's row), the caller must drop `state`: it is ahead of the store.
Decision DecideTurn(State& state,
                    const std::vector<Event>& events,
                    absl::Time now,
                    const DecideOptions& options);

// Whether a submitter may have `more` runs that have not begun, besides those of `state`.
// FAILED_PRECONDITION naming the limit.
absl::Status CheckPending(const State& state,
                          const std::string& submitter,
                          std::size_t more,
                          const DecideOptions& options);

// After a start: everything loaded is heard now, and what is wrong in the books (a run whose steps
// all ended) is moved.
Decision DecideStart(State& state, const ServerStarted& started, const DecideOptions& options);

// Counts every machine as heard at `now`. For a server that could not listen for a while (a commit
// that waited for the database): nobody is lost before a whole lease has passed again.
void HearEverybody(State& state, absl::Time now);

}  // namespace potok::server
