// Everything that the scheduler knows, and Apply: the one way in which it changes. Pure; one
// thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "common/pipeline/items.h"
#include "common/pipeline/label_expression.h"
#include "server/domain/change.h"
#include "server/domain/event.h"
#include "server/domain/holdings.h"
#include "server/domain/metric_history.h"
#include "server/domain/shares.h"
#include "server/domain/step_queue.h"
#include "server/domain/step_record.h"
#include "server/domain/vacancies.h"

namespace potok::server {

// One item, iteration or trial of a control step. All but `values` and `measured` is derived from
// the states of its steps.
struct BodyRecord {
  std::uint32_t first = 0;  // its steps: number of the first, and how many
  std::uint32_t count = 0;
  std::uint32_t open_steps = 0;
  bool failed = false;
  bool canceled = false;
  std::vector<OutputValue> values;  // of its inputs
  // Of a trial: what it logged, interval by interval, and the attempt that did.
  MetricHistory measured;
  std::uint32_t measured_step = 0;
  std::uint32_t measured_attempt = 0;
};
struct ControlRecord {
  std::vector<BodyRecord> bodies;  // by ordinal
  std::uint32_t live = 0;          // those with open steps
  // A parallel_for's items as they were read; found again when it is null.
  std::shared_ptr<const std::vector<LoopItem>> items;
};

struct RunRecord {
  RunId id = 0;
  std::string name;
  RunStatus status = RunStatus::kNotStarted;
  std::string reason;
  std::shared_ptr<const Plan> plan;
  std::vector<StepRecord> steps;
  std::uint32_t open_steps = 0;   // not terminal
  std::uint32_t open_finals = 0;  // those of them that run when all others have ended
  bool step_failed = false;  // one as submitted; those of bodies are their control step's matter
  std::map<std::uint32_t, ControlRecord> controls;  // that have made steps
  std::map<std::uint32_t, MemoryRaise> raises;      // of steps that ran out of memory
  absl::Time created;
  std::string submitter;
  std::string team = kDefaultTeam;       // whose shares count
  std::vector<After> after;              // what it was told to start after
  std::uint32_t placed = 0;              // steps that hold a machine
  std::uint32_t waits_for = 0;           // those of them that have not ended
  std::optional<RunHold> hold;           // nothing of it is placed
  absl::Time released;                   // when it was held last
  std::optional<std::int32_t> priority;  // that it was given instead of its steps' own
  std::optional<std::string> pool;       // likewise
};

struct MachineRecord {
  MachineChanged facts;
  std::map<std::string, std::string> labels;       // derived: its own, and what it is (fit.h)
  Resources reserved;                              // derived: what placements on it hold
  std::set<AttemptKey> holding;                    // derived
  std::map<std::int32_t, std::int32_t> gpus_held;  // derived: thousandths held, by index
  // Derived: of queued steps that are promised room here. Nobody else gets it.
  Resources promised;
  std::map<std::int32_t, std::int32_t> gpus_promised;
  // Not stored; after a start no machine has a session, and all are heard at that moment (restart
  // grace).
  SessionId session = 0;      // 0: none
  absl::Duration told_lease;  // by its session's Welcome
  absl::Time last_heard;
  // Derived: of those it holds, the ones that end by a time that is known (reservation.h).
  std::set<AttemptKey> timed;
  // Not stored either: when it began a session, and when attempts were lost on it, of late.
  std::deque<absl::Time> sessions;
  std::deque<absl::Time> losses;
};

// Who may take whose results. Derived, but for the prefixes, which the store gives at a start. By
// the first 8 bytes of fingerprints (PrefixOf): a match is only a hint, a difference is certain.
struct ReuseBook {
  absl::btree_set<std::uint64_t> offered;
  absl::btree_map<std::uint64_t, StepKey> running;   // queued to ended: who of equal steps runs
  std::map<StepKey, std::set<StepKey>> waiting_for;  // those that want what a running one makes
  std::set<StepKey> sought;                          // those whose result is looked up
  // Of steps that may be reused, from when their inputs are known to their end: worked out once.
  absl::btree_map<StepKey, Fingerprint> fingerprints;
};

// A registered pool.
struct PoolRecord {
  PoolChanged facts;
  LabelExpression selector;  // derived: what the facts say as text, parsed
};

// What the steps hold that name a pool.
struct PoolUse {
  std::int32_t steps = 0;
  Resources resources;
  bool operator==(const PoolUse&) const = default;
};

struct State {
  std::int64_t epoch = 0;
  RunId next_run = 1;
  MachineId next_machine = 1;
  std::map<RunId, RunRecord> runs;           // those that have not ended
  std::map<std::string, RunId> run_by_name;  // likewise
  std::map<MachineId, MachineRecord> machines;
  std::map<std::string, MachineId> machine_by_name;
  std::map<std::string, PoolRecord> pools;  // registered
  // Derived: by the pool that steps name; pools of which no step holds anything are left out.
  std::map<std::string, PoolUse> pool_use;
  // Derived: how many machines declare each pool, and of the default pool how many have GPUs.
  std::map<std::string, std::size_t> declared_pools;
  std::size_t default_with_gpus = 0;
  std::set<MachineId> timed;   // derived: machines that hold attempts that end by a known time
  Vacancies vacancies;         // derived: what machines have free
  Holdings holdings;           // derived: which machines hold which files
  StepQueue queued;            // derived: steps in Queued
  std::set<StepKey> promised;  // derived: those of them that are promised room
  std::map<std::string, TeamRecord> teams;          // those that were made, or have runs
  std::map<std::string, std::string> team_of_user;  // derived
  Amounts living;                                   // derived: what machines that are there have
  // Derived: who starts after a run that has not ended.
  std::map<RunId, std::set<RunId>> followers;
  std::map<std::string, std::size_t> pending;  // derived: runs in NotStarted, by submitter
  // How the last runs ended, in that order: who looked for one a moment ago may not have seen it
  // end.
  std::deque<std::pair<RunId, RunStatus>> ended_lately;
  ReuseBook reuse;
  std::set<StepKey> open;                            // derived: steps in Open
  std::set<std::pair<absl::Time, StepKey>> delayed;  // derived: steps in Delayed, by their time
};

// What the step's latest attempt asks for, or its next one: what its plan says, but the memory that
// it was raised to. Nothing without a plan.
Resources RequestOf(const RunRecord& run, std::uint32_t index);
// The shape of the step's plan, with that request. The run has a plan.
Shape ShapeAskedFor(const RunRecord& run, std::uint32_t index);

// Lanes of steps whose memory was raised, one each: this and the step's number. No plan has so many
// shapes, and no run so many steps.
inline constexpr std::uint32_t kRaisedLanes = std::uint32_t{1} << 31;

// The run's, if it was given one, or the step's own.
std::int32_t PriorityOf(const RunRecord& run, std::uint32_t index);
// Where a step is in the queue, were it queued.
QueuePlace PlaceOf(const RunRecord& run, std::uint32_t index);
// How many of its steps may hold a machine at a time; 0: any number.
std::uint32_t LimitOf(const RunRecord& run);
// Why nothing of the run is placed, as far as that is the run's own matter.
Parked ParkedOf(const RunRecord& run);

// Makes `change` true of `state`. Total on any sequence that Decide produced or the store loaded.
void Apply(State& state, const Change& change);

// What is wrong with the derived parts or across records; empty when all invariants hold. For tests
// and simulation: capacity never exceeded, no GPU held twice, queued set equal to states, attempts
// without gaps, a run ends exactly when its steps have, dependants never start before what they
// need, terminal states never left.
std::vector<std::string> CheckInvariants(const State& state);

}  // namespace potok::server
