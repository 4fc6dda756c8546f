// The attempts of this machine: applies what happens to them (agent/domain/attempt.h) and does what
// follows. One thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/artifacts/transfers.h"
#include "agent/domain/attempt.h"
#include "agent/domain/step_command.h"
#include "agent/exec/execs.h"
#include "agent/executor/executor.h"
#include "agent/link/link.h"
#include "agent/link/log_sink.h"
#include "agent/loop/attempt_folders.h"
#include "agent/resources/gpu_meter.h"
#include "agent/runtime/runtimes.h"

namespace potok::agent {

class AttemptTable {
 public:
  // All outlive the table.
  struct Ports {
    Executor& executor;
    Transfers& transfers;
    LogSink& logs;
    AttemptFolders& folders;
    const Runtimes& runtimes;
    const GpuMeter* gpus = nullptr;  // null: nothing is known of GPUs
    Execs* execs = nullptr;          // null: nothing runs beside attempts
  };
  AttemptTable(Ports ports, StepSurroundings surroundings, FindProgram find_program);

  // Takes up what an earlier agent left: reports that were not acknowledged, processes, attempts
  // that had not started. Call first, once, before a server is spoken to.
  void TakeUp();

  void Start(StartOrder start);
  void Refuse(const UnusableOrder& order);
  void Stop(const AttemptKey& key, absl::Duration grace);
  // An event of one attempt; ignored if the attempt is not known.
  void Apply(const AttemptKey& key, const AttemptEvent& event);
  void ApplyToLive(const AttemptEvent& event);
  void HandleProcesses();
  // What runs a command beside the attempt's, in its environment and limits. FAILED_PRECONDITION
  // for an attempt whose command does not run.
  absl::StatusOr<ExecCommand> Beside(const ExecOrder& order);
  // What attempts use whose processes run; kept for their ends.
  std::vector<UsageSoFar> Measure();
  // Whether a server hears reports at once. While none does they are kept on disk, where they
  // survive the machine too; at first none does.
  void ServerListens(bool listens);

  std::vector<AttemptKey> Live() const;
  std::vector<Report> Unacknowledged() const;
  // What a server that welcomes these attempts must hear of them again: that they started.
  std::vector<Report> Progress(const std::vector<AttemptKey>& keys) const;
  // Reports since the last call, in order.
  std::vector<Report> TakeReports();
  bool HasLive() const { return live_count_ > 0; }
  std::size_t live_count() const { return live_count_; }
  bool empty() const { return attempts_.empty(); }

 private:
  // Of the GPUs of an attempt, over all times when they were looked at.
  struct GpuTally {
    double utilization = 0;  // sum of their means
    int times = 0;
    std::int64_t peak_memory_bytes = 0;
  };
  struct Attempt {
    AttemptState state;
    std::shared_ptr<const AttemptOrder> order;  // absent: nothing more can be done of it
    AttemptPaths paths;
    bool on_disk = false;
    bool launched = false;
    GpuTally gpus = {};
    PreparedRuntime runtime = {};
  };

  void TakeUp(FoundAttempt found);
  void Add(const AttemptKey& key, Attempt attempt);
  void Begin(const AttemptKey& key);
  void Perform(Action action, const AttemptKey& key, const AttemptEvent& event);
  absl::Status Launch(const Attempt& attempt);
  absl::StatusOr<RuntimeCommand> CommandOf(const Attempt& attempt);
  Report ReportOf(const AttemptKey& key, ReportEvent event) const;
  void Finish(const AttemptKey& key, const Attempt& attempt);
  void KeepReport(const Attempt& attempt, const Report& report);
  void Remove(const AttemptKey& key);
  ProcessEnded JudgeAttempt(const AttemptKey& key, Ended ended) const;
  static void Look(const std::map<int, GpuReading>& readings, Attempt& attempt);
  static void Fill(const GpuTally& gpus, Usage& usage);

  Ports ports_;
  const StepSurroundings surroundings_;
  const FindProgram find_program_;
  std::map<AttemptKey, Attempt> attempts_;
  std::size_t live_count_ = 0;
  bool server_listens_ = false;
  std::vector<Report> reports_;
};

}  // namespace potok::agent
