// Commands beside steps: finds where the step runs, tells its agent, and joins the two streams.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/runtime/worker_pool.h"
#include "server/rpc/exec_call.h"
#include "server/rpc/run_view.h"
#include "server/rpc/switchboard.h"

namespace potok::server {

// Thread-safe; nothing but Find blocks, and that is on `queries`. Outlives the gRPC server.
class ExecCalls {
 public:
  // At most so many at once; more are refused.
  static constexpr std::size_t kCallsMax = 512;

  // All outlive this.
  struct Parts {
    RunView& view;
    Projector& projector;
    Scheduler& scheduler;
    Switchboard& switchboard;
    WorkerPool& queries;
  };
  explicit ExecCalls(const Parts& parts) : parts_(parts) {}

  // One Runs.Exec.
  grpc::ServerBidiReactor<v1::ExecRequest, v1::ExecResponse>* Ask();
  // One Agents.Exec.
  grpc::ServerBidiReactor<v1::AgentExecMessage, v1::ExecRequest>* Join();

  // Ends all calls; no new one is taken.
  void CloseAll(const absl::Status& why);

 private:
  // Where a step's command runs.
  struct Place {
    AttemptKey key;
    std::string machine;
    std::string step;
  };
  void Begin(const std::shared_ptr<ExecCall>& call, const v1::ExecStart& start);
  absl::Status Open(ExecCall& call, v1::ExecStart start);
  absl::StatusOr<Place> Find(const v1::ExecStart& start);
  void Joined(const std::shared_ptr<ExecAgent>& agent, bool ok, std::shared_ptr<ExecCall>* call);
  void Forget(const ExecCall& call);

  const Parts parts_;
  Mutex mutex_;
  std::map<std::string, std::shared_ptr<ExecCall>> calls_ ABSL_GUARDED_BY(mutex_);  // by token
  absl::Status closed_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace potok::server
