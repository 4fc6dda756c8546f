// Who is connected: agents by session, callers by token, watchers by run. What the scheduler says
// goes through here.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "common/runtime/mutex.h"
#include "common/runtime/worker_pool.h"
#include "server/logs/log_store.h"
#include "server/rpc/agent_session.h"
#include "server/rpc/completion.h"
#include "server/rpc/convert.h"
#include "server/rpc/replies.h"
#include "server/rpc/result_lookup.h"
#include "server/rpc/step_tracking.h"
#include "server/rpc/trial_metrics.h"
#include "server/rpc/watch_hub.h"
#include "server/scheduler/outbound.h"
#include "server/scheduler/scheduler.h"

namespace potok::server {

// Thread-safe. Lives longer than the gRPC server.
class Switchboard final : public Outbound, public AgentSessionListener {
 public:
  Switchboard(Replies& replies,
              WatchHub& watches,
              LogStore& logs,
              const StepTracking& tracking,
              TrialMetrics& trials);

  // Once, before agents can connect: the scheduler is made after its outbound port. All outlive
  // this.
  void Attach(Scheduler& scheduler, const Completion& completion, const ResultLookup& results);

  std::shared_ptr<AgentSession> NewSession();
  // Closes all agents' streams; no new one is taken.
  void CloseAll(const absl::Status& why);

  // Tells the machine's agent to run a command beside a step. UNAVAILABLE while it is not
  // connected; PERMISSION_DENIED where it does not allow that.
  absl::Status OpenExec(const std::string& machine, v1::OpenExec open);

  // Machines as last stored, for names and liveness in views.
  std::map<MachineId, MachineChanged> machines();

  // What running attempts use, as their agents last said. Of a machine without a session nothing is
  // known.
  LiveUsage usage();
  // The same of attempts of one run.
  LiveUsage UsageIn(RunId run);

  void Say(std::vector<Effect> effects) override;
  void Committed(const Batch& batch) override;

  bool OnMessage(AgentSession& session, v1::AgentMessage&& message, absl::Status* why) override;
  void OnEnded(AgentSession& session) override;

 private:
  absl::Status OnHello(AgentSession& session, const v1::Hello& hello);
  absl::Status OnReports(AgentSession& session, const v1::Reports& reports);
  void OnUsage(SessionId id, const v1::Heartbeat& heartbeat);
  void Send(SessionId id, v1::ServerMessage message);
  void HearAgain(SessionId id, const absl::Status& why);
  void LookUp(FindResult question);
  void AddOrder(const SendOrder& order, v1::Orders& orders) const;
  void NoteLogEnd(const v1::Report& report);
  std::shared_ptr<AgentSession> Find(SessionId id);

  Replies& replies_;
  WatchHub& watches_;
  LogStore& logs_;
  const StepTracking& tracking_;
  TrialMetrics& trials_;
  Scheduler* scheduler_ = nullptr;
  const Completion* completion_ = nullptr;
  const ResultLookup* results_ = nullptr;
  std::unique_ptr<WorkerPool> completions_;

  Mutex mutex_;
  SessionId next_session_ ABSL_GUARDED_BY(mutex_) = 1;
  std::map<SessionId, std::shared_ptr<AgentSession>> sessions_ ABSL_GUARDED_BY(mutex_);
  std::map<MachineId, MachineChanged> machines_ ABSL_GUARDED_BY(mutex_);
  std::map<SessionId, LiveUsage> usage_ ABSL_GUARDED_BY(mutex_);
  absl::Status closed_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace potok::server
