// The Executor of real machines: one potok-shim per attempt, which survives this process. A shim
// whose attempt has ended is given the next one: to start it costs more than most of what it does.
//
// The shim tells a pipe that the command runs and leaves in FOLDER/state how it ended; its channel,
// or its own end by pidfd, tells when. See docs/decisions/0004-one-shim-per-attempt.md.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "agent/executor/cgroup_pool.h"
#include "agent/executor/executor.h"
#include "agent/executor/lease_page.h"
#include "agent/executor/shim/shim_record.h"
#include "agent/executor/spawn.h"
#include "agent/executor/unique_fd.h"
#include "common/base/usage.h"

namespace potok::agent {

struct FoundState;

struct ShimExecutorOptions {
  std::string shim_path;     // absolute, of potok-shim
  std::string state_folder;  // absolute; the same one after a restart of the agent
  std::string isolation;     // one of isolation()'s values, or empty: the best that works here
  std::optional<std::int64_t> processes_max;  // as of CgroupOptions
  // A shim that has not ended its attempt this long after the grace is taken for dead.
  absl::Duration stop_margin = absl::Seconds(2);
};

class ShimExecutor final : public Executor {
 public:
  // Finds out by a trial which isolation works. Fails when no attempt can be started at all.
  static absl::StatusOr<std::unique_ptr<ShimExecutor>> Open(const ShimExecutorOptions& options);

  // Attempts go on; those that have ended free what they hold.
  ~ShimExecutor() override;

  absl::Status Start(const Launch& launch) override;
  void Stop(const AttemptKey& key, absl::Duration grace) override;
  absl::Status Adopt(const AttemptKey& key, const std::string& folder) override;
  absl::StatusOr<ProcessPlace> PlaceOf(const AttemptKey& key) override;
  void SetLeaseDeadline(absl::Duration boottime) override;
  void Forget(const AttemptKey& key) override;
  std::vector<UsageSoFar> Measure() override;
  int events() const override { return epoll_.get(); }
  std::vector<ProcessEvent> TakeEvents() override;
  std::string isolation() const override;

  // Which limits are not kept here, and why, for people.
  std::vector<std::string> NotEnforced() const;

 private:
  // A live shim. It is idle while it has no attempt.
  struct Shim {
    pid_t pid = 0;
    UniqueFd pidfd = {};
    UniqueFd channel = {};      // invalid: started by an earlier agent, or not wanted any more
    std::uint64_t attempt = 0;  // id
    bool signalled = false;     // a signal may still be on its way: no other attempt may get it
  };
  struct Attempt {
    AttemptKey key;
    std::string folder;
    pid_t shim = 0;
    std::uint64_t shim_number = 0;  // in shims_
    std::optional<CgroupLeaf> leaf;
    bool has_company = false;  // more than its own processes may be in the leaf
    bool start_told = false;
    bool ended = false;
    bool stop_asked = false;
    std::int64_t force_at = 0;    // CLOCK_BOOTTIME in ns, once stop_asked
    std::int64_t started_at = 0;  // likewise; of an adopted one, when it was adopted
    std::int64_t peak_seen_bytes = 0;
  };

  ShimExecutor(ShimExecutorOptions options, LeasePage lease, std::string boot_id);

  absl::Status OpenEvents();
  absl::Status Try();
  absl::Status StartShim(const Launch& launch);
  ShimRecord NewRecord(const Launch& launch, const std::optional<CgroupLeaf>& leaf);
  // An idle shim that has taken the order, or a new one with it.
  std::variant<std::uint64_t, SpawnFailure> GiveToShim(const Launch& launch,
                                                       const CgroupPaths& paths,
                                                       int log,
                                                       int state);
  absl::Status OnSpawnFailure(const Launch& launch,
                              const SpawnFailure& failure,
                              const UniqueFd& state,
                              ShimRecord record);
  absl::StatusOr<std::uint64_t> AddShim(Shim shim);
  void AddRunning(std::uint64_t id, Attempt attempt);
  absl::Status AdoptRunning(const AttemptKey& key,
                            const std::string& folder,
                            const FoundState& found);
  void AdoptEnded(const AttemptKey& key, const absl::StatusOr<FoundState>& found);
  void EndOrphans(Attempt& attempt, pid_t command);
  void TakeStarted();
  void TellStart(Attempt& attempt);
  void TakeWord(std::uint64_t number);
  void TakeShimEnd(std::uint64_t number);
  void TakeEnded(std::uint64_t id);
  void ForceDueStops();
  bool KillWithoutShim(Attempt& attempt);
  Usage UsageNow(const Attempt& attempt) const;
  void SettleLeaf(Attempt& attempt, const ShimRecord& record, Ended* end);
  void ArmTimer();
  std::optional<CgroupLeaf> Claim(const ShimRecord& record);

  const ShimExecutorOptions options_;
  const std::string boot_id_;
  LeasePage lease_;
  Spawner spawner_;
  std::unique_ptr<CgroupPool> pool_;  // null: isolation "none"
  bool has_terminal_ = false;
  UniqueFd epoll_;
  UniqueFd timer_;
  UniqueFd null_;
  UniqueFd started_read_;
  UniqueFd started_write_;
  std::uint64_t last_id_ = 0;
  std::map<AttemptKey, std::uint64_t> ids_;
  std::unordered_map<std::uint64_t, Attempt> attempts_;
  std::uint64_t last_shim_ = 0;
  std::unordered_map<std::uint64_t, Shim> shims_;
  std::vector<std::uint64_t> idle_;                                // numbers of shims
  std::set<std::pair<std::int64_t, std::uint64_t>> forced_stops_;  // (force_at, id)
  std::vector<ProcessEvent> pending_;
};

}  // namespace potok::agent
