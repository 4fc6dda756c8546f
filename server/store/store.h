// The port to what lasts: the journal, its projection, and claims. The real one is postgres/, the
// fake is in tests/support; both pass tests/server/store/store_contract_test.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/domain/change.h"
#include "server/store/assets.h"
#include "server/store/retention_store.h"

namespace potok::server {

// One turn of the scheduler: all its changes under the next revision.
struct Batch {
  std::int64_t revision = 0;
  std::string writer;  // random per server process; with the revision it names the batch
  std::vector<Change> changes;
};

// Something that must be unique: ("request", id) or ("run", name); the value is what a repeated
// claim is told.
struct Claim {
  std::string kind;
  std::string key;
  std::string value;
};

// What a starting server finds.
struct Loaded {
  std::int64_t revision = 0;  // of the journal's head
  std::int64_t epoch = 0;     // highest that ever started
  std::int64_t next_run = 1;
  std::uint32_t next_machine = 1;
  // All teams and what they have used, rows of unfinished runs (RunAdded without plan, RunMoved,
  // then what was added to them and measured in them, StepMoved), all machines and registered
  // pools, as changes for Apply.
  std::vector<Change> changes;
  // PrefixOf every fingerprint that is offered.
  std::vector<std::uint64_t> offered;
};

// The scheduler thread's end. One thread; every call blocks.
class Store {
 public:
  virtual ~Store() = default;

  // Projects what is not yet projected, then reads everything that is live. UNAVAILABLE: try
  // again; DATA_LOSS names the row of the journal that cannot be read.
  virtual absl::StatusOr<Loaded> Load() = 0;

  // Opens the turn's transaction and claims each; a claim that is taken yields the value of its
  // holder, a new one nothing; of two equal ones the first wins. Commit ends the transaction; so
  // does a second ClaimInTurn (by rolling back the first). After an error no turn is open.
  virtual absl::StatusOr<std::vector<std::optional<std::string>>> ClaimInTurn(
      const std::vector<Claim>& claims) = 0;

  // Appends the batch at its revision, durably, with the turn's claims.
  //   OK             it is there (also when an earlier try of this very batch had succeeded)
  //   ABORTED        certainly not there; try again (claims included)
  //   UNAVAILABLE    not known, or no connection: call again with the same batch and claims until
  //                  it is OK; never decide anew
  //   FAILED_PRECONDITION  another writer's row has this revision, or it does not follow the
  //                  head: step down
  // Claims whose transaction was lost are made again, so calling Commit again is enough.
  virtual absl::Status Commit(const Batch& batch, const std::vector<Claim>& claims) = 0;

  // The highest epoch in the journal: whether this server may still speak.
  virtual absl::StatusOr<std::int64_t> ReadEpoch() = 0;
};

// How soon a waiter wants to see the tables at a revision.
enum class Haste {
  kNow,       // somebody waits for the answer
  kWhenever,  // with the next transaction, which takes many turns at once
};

// Applies committed batches to the tables, in order, on its own thread and connection.
class Projector {
 public:
  virtual ~Projector() = default;
  // Never blocks; batches come in order of revision. Thread-safe.
  virtual void Project(Batch batch) = 0;
  virtual std::int64_t projected_revision() const = 0;
  // Blocks until the tables show `revision`; DEADLINE_EXCEEDED. Thread-safe.
  virtual absl::Status WaitFor(std::int64_t revision, absl::Duration timeout, Haste haste) = 0;
  // Bytes not yet projected: beyond 64 MiB Create is paused
  // (docs/decisions/0001-journal-first.md).
  virtual std::int64_t backlog_bytes() const = 0;
};

// Rows for readers. Times are Unix microseconds, 0: not yet.
struct RunRow {
  RunAdded added;
  RunStatus status = RunStatus::kNotStarted;
  std::string reason;
  std::int64_t created_us = 0;
  std::int64_t started_us = 0;
  std::int64_t ended_us = 0;
  std::int64_t forgotten_us = 0;  // since when its outputs and logs are not kept; 0: they are
  std::int64_t revision = 0;
  // Steps by what users see of them: Skipped counts as canceled, Uploading as running.
  std::int32_t completed = 0;
  std::int32_t failed = 0;
  std::int32_t canceled = 0;
  std::int32_t running = 0;
  bool archived = false;
  std::uint32_t added_steps = 0;  // by control steps, beyond those that it was added with
};
// A step that never moved has no row: it is Blocked.
struct StepRow {
  std::uint32_t index = 0;
  std::uint32_t attempt = 0;
  StepState state;
  MachineId machine = 0;  // of the latest attempt, 0: none
  std::int64_t queued_us = 0;
  std::int64_t started_us = 0;
  std::int64_t ended_us = 0;
  std::int64_t revision = 0;
  ResultLack lack = ResultLack::kNone;
  std::optional<Usage> usage;        // of the latest attempt, once it has ended
  std::optional<MemoryRaise> raise;  // unset: attempts ask for what the plan says
  std::string runtime = {};          // of the latest attempt, as in potok.v1.Report
  // What the latest attempt's machine held of its inputs when it was placed there; nothing: none.
  std::optional<HeldInputs> held = std::nullopt;
};
struct RunFilter {
  std::vector<RunStatus> status;
  std::string experiment_name;
  std::string name_prefix;
  std::string submitter;
  std::int64_t created_after_us = 0;        // or at that moment
  std::map<std::string, std::string> tags;  // a run has all of them
  std::int64_t before_run = 0;              // 0: from the newest; else runs with a lower id
  int limit = 50;
  std::int64_t created_before_us = 0;  // 0: any time
  // In the name, or in the first 500 bytes of display name and description, in any case of ASCII
  // letters.
  std::string text;
  enum class Archived { kIncluded, kLeftOut, kOnly };
  Archived archived = Archived::kIncluded;
};

// That a step made an artifact, took it as an input, or ran its code.
enum class ArtifactRole { kMade = 1, kUsed = 2, kCode = 3 };
struct ArtifactUse {
  Digest digest;
  RunId run = 0;
  std::uint32_t index = 0;
  ArtifactRole role = ArtifactRole::kMade;
  std::string port;  // name of the output or input; "code"
  bool operator==(const ArtifactUse&) const = default;
};
struct ArtifactUseFilter {
  Digest digest;
  std::vector<ArtifactRole> roles;
  std::int64_t before_run = 0;  // 0: from the newest; else runs with a lower id
  int limit = 50;
};

// Queries and the plans, beside the scheduler. Thread-safe: a small pool of connections; every
// call blocks.
class Reader {
 public:
  virtual ~Reader() = default;
  virtual absl::Status PutSpec(const Digest& digest,
                               const std::string& spec) = 0;  // durable on OK; idempotent
  virtual absl::StatusOr<std::string> GetSpec(const Digest& digest) = 0;
  virtual absl::StatusOr<RunRow> GetRun(const std::string& name) = 0;  // NOT_FOUND
  virtual absl::StatusOr<RunRow> GetRunById(RunId id) = 0;
  // Those that moved after the revision (0: all), by index.
  virtual absl::StatusOr<std::vector<StepRow>> GetSteps(RunId run, std::int64_t after_revision) = 0;
  // What control steps of the run made, from the step with that number on, in order.
  virtual absl::StatusOr<std::vector<StepsAdded>> GetAddedSteps(RunId run, std::uint32_t from) = 0;
  virtual absl::StatusOr<std::vector<RunRow>> ListRuns(const RunFilter& filter) = 0;
  virtual absl::StatusOr<std::vector<MachineChanged>> ListMachines() = 0;

  // Results that are offered under these fingerprints, in any order; whether their bytes are
  // still there is another question.
  virtual absl::StatusOr<std::vector<FoundResult>> FindResults(
      const std::vector<Fingerprint>& fingerprints) = 0;
  // All that steps of the run offer.
  virtual absl::StatusOr<std::vector<FoundResult>> ResultsOfRun(RunId run) = 0;
  // The last `limit` that steps of this kin (KinOf) offered before a moment (Unix microseconds),
  // newest first.
  virtual absl::StatusOr<std::vector<FoundResult>> ResultsOfKin(std::uint64_t kin,
                                                                std::int64_t before_us,
                                                                int limit) = 0;
  // Changes how a run is described: of the row that `edit` gets, display name, experiment,
  // description, tags and properties of `added`, and `archived`, are kept as it leaves them; one
  // edit after the other. An error of `edit` is returned and nothing changes. NOT_FOUND.
  // docs/decisions/0028-runs-are-described-beside-the-journal.md.
  virtual absl::StatusOr<RunRow> EditRun(RunId id,
                                         const std::function<absl::Status(RunRow&)>& edit) = 0;

  // Runs that have ended and whose uses of artifacts were never put, the oldest first.
  virtual absl::StatusOr<std::vector<RunId>> ListRunsWithoutUses(int limit) = 0;
  // All uses of a run that has ended, once and for all: a second call for a run changes nothing.
  virtual absl::Status PutUses(RunId run, const std::vector<ArtifactUse>& uses) = 0;
  // The newest run first; within a run by step.
  virtual absl::StatusOr<std::vector<ArtifactUse>> FindUses(const ArtifactUseFilter& filter) = 0;
};

// Everything of one database.
struct StoreBundle {
  std::unique_ptr<Store> store;
  std::unique_ptr<Projector> projector;
  std::unique_ptr<Reader> reader;
  std::unique_ptr<AssetStore> assets;
  std::unique_ptr<RetentionStore> retention;
};

}  // namespace potok::server
