// What is stored: the journal is a sequence of these. Each says what now is, so applying one twice
// is harmless. The encoding is server/journal; an older version's changes must decode for ever.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "common/base/attempt.h"
#include "common/base/digest.h"
#include "common/base/resources.h"
#include "common/base/usage.h"
#include "server/domain/plan.h"
#include "server/domain/result.h"
#include "server/domain/step_state.h"
#include "server/domain/team.h"

namespace potok::server {

// A server took over; the highest epoch in the journal is the one that may speak.
struct ServerStarted {
  std::int64_t epoch = 0;
  std::string writer;
  absl::Time at;
};

// That a run starts after another one.
struct After {
  RunId run = 0;
  std::string name;
  bool only_if_completed = false;  // else whatever came of it
  bool operator==(const After&) const = default;
};

// Its steps are Blocked, or Queued where they need no other: no StepMoved says so. Of a run that
// starts after others all are Blocked, until a StepMoved says otherwise.
struct RunAdded {
  RunId id = 0;
  std::string name;
  std::string request_id;
  Digest spec;  // of the serialised PipelineSpec, in the table of specs
  std::uint32_t steps = 0;
  std::string display_name;
  std::string experiment_name;
  std::string description;
  std::string submitter;
  std::map<std::string, std::string> tags;
  std::map<std::string, std::string> properties;  // of runs before them: only in the spec
  bool is_pipeline = true;
  absl::Time at;
  std::shared_ptr<const Plan> plan;  // not stored: attached again when a row is read
  std::vector<After> after;
  std::string team = {};  // in which its submitter was then; empty: the default team
};

enum class RunStatus { kNotStarted, kRunning, kCancelRequested, kCompleted, kFailed, kCanceled };
bool IsTerminal(RunStatus status);

struct RunMoved {
  RunId id = 0;
  RunStatus status = RunStatus::kNotStarted;
  std::string reason;
  absl::Time at;
};

// An attempt ran out of its memory, and those after it ask for more.
struct MemoryRaise {
  std::uint32_t attempt = 0;    // that ran out of it
  std::int64_t from_bytes = 0;  // what it had asked for
  std::int64_t to_bytes = 0;    // what those after it ask for
  bool operator==(const MemoryRaise&) const = default;
};

// Of a step's moves within one turn only the last is stored, and the one to Running, for the time
// at which it began, unless it succeeded in the same turn on the host: Queued, Assigned, Running
// and Uploading may never be seen. A step first seen Assigned was queued at that moment, and one
// that succeeded without having been seen Running began at that moment.
struct StepMoved {
  StepKey step;
  std::uint32_t attempt = 0;       // the latest
  std::uint32_t machine_lost = 0;  // requeues so far because a machine was lost
  StepState state;
  absl::Time at;
  // Of a step that came to Succeeded by itself and may be reused.
  std::optional<Offer> offer = std::nullopt;
  // Why it runs although there was a result; stays what it was.
  ResultLack lack = ResultLack::kNone;
  // Of the attempt that ended with this move, if its command ran.
  std::optional<Usage> usage = std::nullopt;
  // Unset: attempts ask for what the plan says. Stays what it was.
  std::optional<MemoryRaise> raise = std::nullopt;
  std::uint32_t displaced = 0;  // requeues so far because its machine was to be emptied
  // What runs the attempt (potok.v1.Report), said once, when that is first heard; empty: nothing
  // new, and until then the host.
  std::string runtime = {};
  // Of an attempt that was placed with this move, on a machine that holds some of its inputs.
  std::optional<HeldInputs> held = std::nullopt;
};

// A control step made steps of its body, once: for one item, iteration or trial. They have the
// numbers from `first` on; as those of RunAdded they are Blocked or Queued.
struct StepsAdded {
  RunId run = 0;
  std::uint32_t control = 0;
  std::uint32_t ordinal = 0;  // from 0, without gaps
  std::string label;          // "3" in "fold[3]/fit"
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  std::vector<OutputValue> values;  // of the body's inputs
  std::string metric;               // of a sweep: what its trials are measured by
  absl::Time at;
  std::shared_ptr<const Segment> segment;  // not stored: what Expand makes of it, or null
};

// A trial of a sweep logged its metric for the count-th time, from 1.
struct TrialMeasured {
  RunId run = 0;
  std::uint32_t index = 0;  // of the trial's step
  std::uint32_t attempt = 0;
  std::int64_t count = 0;
  double value = 0;
  absl::Time at;
};

// Who keeps a run from being placed.
struct RunHold {
  std::string by;
  std::string reason;
  absl::Time since;
  bool operator==(const RunHold&) const = default;
};

// Where people have put a run in the order.
struct RunOrdered {
  RunId run = 0;
  std::optional<RunHold> hold;
  std::optional<std::int32_t> priority;  // of all its steps; nothing: their own
  std::optional<std::string> pool;       // likewise; empty: the default pool
  absl::Time at;
};

enum class Liveness { kReady, kNotResponding, kLost, kGone };

struct GpuInfo {
  std::int32_t index = 0;
  std::string model;
  std::int64_t memory_bytes = 0;
  std::string uuid;
  bool operator==(const GpuInfo&) const = default;
};

enum class CordonState { kNone, kCordoned, kDraining };

// What a person last said of whether new steps are placed on a machine. Draining, it is to become
// empty, and what it still holds at the deadline is stopped and queued again.
struct Cordon {
  CordonState state = CordonState::kNone;
  absl::Time deadline = absl::InfiniteFuture();
  std::string by;
  std::string reason;
  absl::Time at;
  bool operator==(const Cordon&) const = default;
};

// A label that a person set, over that of the machine's agent, or removed: then it has no value.
struct LabelEdit {
  std::optional<std::string> value;
  std::string by;
  std::string reason;
  absl::Time at;
  bool operator==(const LabelEdit&) const = default;
};

// New steps are kept off a machine until then, because it does not work as it should.
struct Quarantine {
  absl::Time until;
  std::string reason;
  absl::Time at;
  bool operator==(const Quarantine&) const = default;
};

// A machine as its last Hello described it, and what a person or the server said of it since it is
// known, which no Hello changes.
struct MachineChanged {
  MachineId id = 0;
  std::string name;
  std::string state_id;
  std::string boot_id;
  std::string agent_version;
  std::string isolation;
  Resources capacity;
  std::vector<GpuInfo> gpus;
  std::map<std::string, std::string> labels;  // its agent's, as they were edited
  std::vector<std::string> pools;             // empty: the default pool only
  Liveness liveness = Liveness::kReady;
  absl::Time first_seen;
  absl::Time at;
  std::optional<Cordon> cordon = std::nullopt;  // none: nobody ever said anything
  std::map<std::string, std::string> agent_labels = {};
  std::map<std::string, LabelEdit> label_edits = {};
  std::optional<Quarantine> quarantine = std::nullopt;
  std::vector<std::string> runtimes = {};  // as in potok.v1.Hello
  // The longest that its agent may count with, and the server counts with (decision 50). Infinite:
  // only a person ends its attempts. Nothing: not known, the server's.
  std::optional<absl::Duration> lease = std::nullopt;
};

// The agent's labels as they were edited.
std::map<std::string, std::string> EditedLabels(const std::map<std::string, std::string>& labels,
                                                const std::map<std::string, LabelEdit>& edits);
// Draining or only cordoned.
bool IsCordoned(const MachineChanged& machine);

// What the steps of a pool may hold together; none: no limit.
struct PoolLimits {
  std::optional<std::int32_t> running_steps;
  std::optional<std::int32_t> cpu_millis;
  std::optional<std::int64_t> memory_bytes;
  std::optional<std::int32_t> gpu_millis;
  bool operator==(const PoolLimits&) const = default;
};

// Where commands run whose environment has an image: as the machine's agent is told, or always so.
enum class PoolImages { kAsAgents, kContainer, kHost };
const char* WordOf(PoolImages images);  // "", "container", "host"

// A registered pool as it is now, or that it is no more. Which machines it holds: pools.h.
struct PoolChanged {
  std::string name;
  bool deleted = false;
  std::string selector;  // an expression over labels (label_expression.h); empty: none
  PoolLimits limits;
  std::string document;  // JSON: what its YAML says besides, without effect here
  std::string by;
  absl::Time created;
  absl::Time at;
  bool preemption = false;    // whether teams take back in it what they are guaranteed
  bool low_priority = false;  // its steps are preemptible unless they say otherwise
  bool spread = false;        // its steps go to the machine with the largest free share
  // Of its machines' agents; infinite: only a person ends attempts there; nothing: the server's.
  std::optional<absl::Duration> lease = std::nullopt;
  PoolImages images = PoolImages::kAsAgents;
};

using Change = std::variant<ServerStarted,
                            RunAdded,
                            RunMoved,
                            StepMoved,
                            MachineChanged,
                            StepsAdded,
                            TrialMeasured,
                            RunOrdered,
                            TeamChanged,
                            TeamUsed,
                            PoolChanged>;

}  // namespace potok::server
