// One caller's Watch of a run.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <memory>
#include <string>

#include "common/runtime/mutex.h"
#include "potok/v1/runs.pb.h"
#include "server/rpc/run_view.h"
#include "server/rpc/watch_hub.h"

namespace potok::server {

// Owns itself until OnDone. Reads the tables on the hub's threads, writes one message at a time;
// while one is being written changes only make it look again afterwards.
class RunWatch final : public grpc::ServerWriteReactor<v1::WatchRunResponse>,
                       public std::enable_shared_from_this<RunWatch> {
 public:
  // `view`, `hub`, `projector` outlive the server's streams.
  static RunWatch* Start(const v1::WatchRunRequest& request,
                         RunView& view,
                         WatchHub& hub,
                         Projector& projector,
                         WorkerPool& queries,
                         std::int64_t committed_revision);

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  RunWatch(RunView& view, WatchHub& hub, Projector& projector, const v1::WatchRunRequest& request)
      : view_(view),
        hub_(hub),
        projector_(projector),
        with_steps_(!request.without_steps()),
        after_(request.after_revision()) {}

  void Find(const std::string& name, std::int64_t revision);
  bool Look();
  void End(const absl::Status& status);

  RunView& view_;
  WatchHub& hub_;
  Projector& projector_;
  const bool with_steps_;
  std::shared_ptr<RunWatch> self_;

  Mutex mutex_;
  std::int64_t after_ ABSL_GUARDED_BY(mutex_);
  RunId run_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t watch_ ABSL_GUARDED_BY(mutex_) = 0;
  bool sent_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool again_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool last_ ABSL_GUARDED_BY(mutex_) = false;
  v1::WatchRunResponse response_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace potok::server
