// The agent's state folder: STATE/attempts/KEY/, one per attempt, and what makes the agent itself:
// its lock, its id, the boot that it last ran in. One thread; blocks on the disk.
//
// Orders and reports appear by rename, so that a killed agent leaves them whole or not at all. They
// are not synced: after a power failure no attempt of before it is trusted anyway.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/domain/attempt_paths.h"
#include "agent/domain/report.h"
#include "agent/loop/spare_folders.h"

namespace potok::agent {

// An attempt of an earlier agent.
struct FoundAttempt {
  AttemptKey key;
  std::optional<AttemptOrder> order;  // absent: unreadable
  std::optional<ReportEvent> report;  // present: it had ended
  bool launched = false;              // the shim was there
  std::int64_t log_bytes = 0;         // size of the log file
  std::string runtime;                // what runs it, as in potok.v1.Report
};

class AttemptFolders {
 public:
  // Makes the folder and takes its lock, until the process ends. ALREADY_EXISTS if another agent
  // runs on it; PERMISSION_DENIED or UNAVAILABLE if it cannot be written.
  static absl::StatusOr<std::unique_ptr<AttemptFolders>> Open(const std::string& state_folder,
                                                              const std::string& boot_id);
  ~AttemptFolders();

  const std::string& state_id() const { return state_id_; }
  // False if the machine has started anew since an agent last ran on this folder.
  bool same_boot() const { return same_boot_; }

  // Names of all attempts on disk.
  std::set<std::string> Names() const;
  AttemptPaths PathsOf(const AttemptKey& key) const;
  // Every attempt on disk; folders without an order are removed, as they were never accepted.
  std::vector<FoundAttempt> Scan();

  // Makes the attempt's folder with its order, of a recycled one if there is one.
  absl::Status Create(const AttemptPaths& paths, const std::string& serialized_order);
  absl::Status WriteScript(const AttemptPaths& paths, const std::string& script);
  absl::Status WriteRuntime(const AttemptPaths& paths, const std::string& runtime);
  absl::Status WriteVariables(const AttemptPaths& paths, const std::string& variables);
  absl::Status WriteReport(const AttemptPaths& paths, const Report& report);
  // Keeps the folder of an attempt that has ended for another one. False if it must be removed.
  bool Recycle(const AttemptPaths& paths) { return spares_.Give(paths); }

 private:
  AttemptFolders(std::string state_folder, int lock);
  absl::Status ReadIdentity(const std::string& boot_id);
  std::optional<FoundAttempt> Look(const AttemptKey& key) const;

  const std::string state_folder_;
  const int lock_;
  SpareFolders spares_;
  std::string state_id_;
  bool same_boot_ = true;
};

}  // namespace potok::agent
