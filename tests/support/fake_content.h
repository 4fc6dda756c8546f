// What a FakeDatabase holds: the journal, the claims, the specs, and the tables that are projected
// of the journal. Only for the .cc files of this folder; whoever uses it holds its mutex.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "server/store/projection.h"
#include "tests/support/fake_store.h"

namespace potok::server {

struct FakeDatabase::Content {
  struct Row {
    std::string writer;
    std::string batch;
  };
  struct Step {
    StepMoved moved;
    std::int64_t revision = 0;
  };

  std::mutex mutex;
  std::condition_variable projected_rose;

  std::vector<Row> journal;  // revision 1 first
  std::map<std::pair<std::string, std::string>, std::string> claims;
  std::map<Digest, std::string> specs;

  std::int64_t projected = 0;
  std::map<RunId, RunFacts> runs;
  std::map<StepKey, Step> steps;
  std::map<RunId, std::vector<Change>> growth;  // StepsAdded and TrialMeasured, as they came
  std::map<MachineId, MachineChanged> machines;
  std::map<std::string, TeamChanged> teams;
  std::vector<TeamUsed> team_uses;  // as they came, of each user the last
  std::map<std::string, PoolChanged> pools;
  std::map<Fingerprint, StepKey> results;
  std::map<StepKey, Offer> offers;
  struct Edit {
    RunAdded added;
    bool archived = false;
  };
  std::map<RunId, Edit> edits;
  std::map<RunId, std::vector<ArtifactUse>> uses;
  std::int64_t epoch = 0;

  int fail_before = 0;
  bool fail_after = false;
  bool abort = false;
  bool unreachable = false;
  bool hold = false;
  std::map<std::int64_t, std::int64_t> waiting;  // bytes by revision

  std::int64_t head() const { return static_cast<std::int64_t>(journal.size()); }

  absl::Status Reach() const {
    return unreachable ? absl::UnavailableError("the database cannot be reached")
                       : absl::OkStatus();
  }

  // The changes of a row; DATA_LOSS if it cannot be read.
  absl::StatusOr<std::vector<Change>> Read(std::int64_t revision) const;

  // Until a revision, or until a row that cannot be read.
  absl::Status ProjectUntil(std::int64_t revision);

  // Changes the tables.
  void Apply(const Change& change, std::int64_t revision);

  // What a step that offered its result left.
  FoundResult ResultOf(const Fingerprint& fingerprint, const StepKey& key) const;
};

// Reads the tables.
std::unique_ptr<Reader> MakeFakeReader(std::shared_ptr<FakeDatabase::Content> content);

}  // namespace potok::server
