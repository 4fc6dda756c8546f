// A store whose commits fail in all the ways of a real one, and which remembers every row to check
// what may never happen to it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "server/domain/change.h"
#include "server/domain/state.h"
#include "tests/simulation/ledger.h"
#include "tests/simulation/random.h"

namespace potok::server {

class FakeStore {
 public:
  FakeStore(Random* random, Ledger* ledger) : random_(*random), ledger_(*ledger) {}

  // OK: stored (or was before). ABORTED: not stored. UNAVAILABLE: nobody can say.
  absl::Status Commit(std::int64_t revision,
                      const std::vector<Change>& changes,
                      std::uint32_t faults_per_mille);
  std::int64_t revision() const { return revision_; }
  std::int64_t epoch() const { return epoch_; }
  bool HasRun(const std::string& name) const { return run_by_name_.contains(name); }

  // What a starting server makes of it: unfinished runs and all machines.
  State Load() const;
  // A run's number and where it is.
  std::optional<std::pair<RunId, RunStatus>> FindRun(const std::string& name) const;
  // The row of a step, or null.
  const StepMoved* FindStep(const StepKey& step) const;
  // What was last offered under the fingerprint.
  std::optional<Result> FindResult(const Fingerprint& fingerprint) const;
  // Of all runs that were ever stored, those that have not ended.
  std::size_t open_runs() const;
  std::size_t runs() const { return runs_.size(); }
  std::size_t results() const { return results_; }

 private:
  struct RunRow {
    RunAdded added;
    RunMoved moved;
  };

  void Keep(const std::vector<Change>& changes);
  void KeepStep(const StepMoved& moved);
  void KeepRun(const RunMoved& moved);

  Random& random_;
  Ledger& ledger_;
  std::int64_t revision_ = 0;
  std::int64_t epoch_ = 0;
  std::size_t results_ = 0;
  std::map<RunId, RunRow> runs_;
  std::map<std::string, RunId> run_by_name_;
  std::map<StepKey, StepMoved> steps_;
  std::map<Fingerprint, StepKey> offers_;
  std::map<RunId, std::vector<Change>> growth_;
  std::map<MachineId, MachineChanged> machines_;
  std::vector<Change> teams_;  // all of their changes
  std::map<std::string, PoolChanged> pools_;
};

}  // namespace potok::server
