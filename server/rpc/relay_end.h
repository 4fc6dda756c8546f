// One stream of two that are joined: one read and one write at a time, so that whoever is slow
// holds up the other.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "common/rpc/status.h"
#include "common/runtime/mutex.h"

namespace potok::server {

// Thread-safe. Owns itself from Start until OnDone; others hold a shared_ptr while they use it.
template <class In, class Out>
class RelayEnd final : public grpc::ServerBidiReactor<In, Out> {
 public:
  // Called on gRPC's threads, one after the other but for `cut`, which may come at any time.
  struct Handlers {
    std::function<void(bool ok)> read;
    std::function<void(bool ok)> written;
    std::function<void()> cut;  // the other side has gone
  };

  void Start(std::shared_ptr<RelayEnd> self, Handlers handlers) {
    self_ = std::move(self);
    handlers_ = std::move(handlers);
    Read();
  }

  // What was read last; until the next Read.
  In& in() { return in_; }

  void Read() {
    MutexLock lock(mutex_);
    if (!finished_) this->StartRead(&in_);
  }
  // Not before the last one was written.
  void Write(Out message) {
    MutexLock lock(mutex_);
    if (!ending_) WriteNow(std::move(message));
  }
  // Ends the stream after what is being written, or after `last`, which is then not written before
  // the last one was. Idempotent: the first status counts.
  void End(const absl::Status& why, std::optional<Out> last = std::nullopt) {
    MutexLock lock(mutex_);
    if (ending_) return;
    ending_ = true;
    why_ = why;
    if (last.has_value()) WriteNow(*std::move(last));
    FinishWhenIdle();
  }

 private:
  void WriteNow(Out message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    out_ = std::move(message);
    writing_ = true;
    this->StartWrite(&out_);
  }
  void FinishWhenIdle() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!ending_ || writing_ || finished_) return;
    finished_ = true;
    this->Finish(ToGrpc(why_));
  }
  void OnReadDone(bool ok) override { handlers_.read(ok); }
  void OnWriteDone(bool ok) override {
    {
      MutexLock lock(mutex_);
      writing_ = false;
      FinishWhenIdle();
      if (finished_) return;
    }
    handlers_.written(ok);
  }
  void OnCancel() override { handlers_.cut(); }
  void OnDone() override {
    // What the handlers hold may hold this.
    const Handlers handlers = std::move(handlers_);
    const std::shared_ptr<RelayEnd> self = std::move(self_);
  }

  std::shared_ptr<RelayEnd> self_;
  Handlers handlers_;
  In in_;
  Out out_;

  Mutex mutex_;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status why_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace potok::server
