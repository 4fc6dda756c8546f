#include "agent/link/grpc_link.h"

#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <deque>
#include <mutex>

#include "agent/link/wire.h"
#include "common/rpc/status.h"
#include "common/rpc/usage_convert.h"
#include "common/runtime/mutex.h"
#include "potok/v1/agents.grpc.pb.h"

namespace potok::agent {
namespace {

// Messages that may wait for the network. More means that the server does not read: the stream is
// cut, and the next Hello says what is still true.
constexpr std::size_t kOutboxMax = 4096;

}  // namespace

// One stream, from StartCall to OnDone. The reactor's calls come from gRPC's threads. It owns
// itself until OnDone; the hold keeps writes from another thread legal, and OnDone does not come
// while it is held, so the end of reading removes it.
class GrpcLink::Stream final : public grpc::ClientBidiReactor<v1::AgentMessage, v1::ServerMessage> {
 public:
  Stream(const std::shared_ptr<grpc::Channel>& channel,
         std::uint64_t session,
         std::function<void(LinkNews)> post)
      : session_(session), post_(std::move(post)), stub_(v1::Agents::NewStub(channel)) {}

  void Start(std::shared_ptr<Stream> self, v1::AgentMessage hello) {
    self_ = std::move(self);
    stub_->async()->Connect(&context_, this);
    AddHold();
    Send(std::move(hello));
    StartRead(&incoming_);
    StartCall();
  }

  void Send(v1::AgentMessage message) {
    MutexLock lock(mutex_);
    if (closing_ || half_closed_) return;
    if (outbox_.size() >= kOutboxMax) {
      context_.TryCancel();
      return;
    }
    outbox_.push_back(std::move(message));
    if (outbox_.size() == 1) StartWrite(&outbox_.front());
  }

  // Ends the stream. Silently: LinkClosed is not posted.
  void Drop() {
    MutexLock lock(mutex_);
    silent_ = true;
    if (!done_) context_.TryCancel();
  }

  // Sends what is queued, says that nothing follows, and waits for the server to end the stream.
  void Finish(absl::Duration patience) {
    MutexLock lock(mutex_);
    silent_ = true;
    half_closed_ = true;
    if (outbox_.empty() && !closing_) StartWritesDone();
    AwaitDone(lock, patience);
    if (!done_) context_.TryCancel();
  }

  void AwaitDone() {
    MutexLock lock(mutex_);
    AwaitDone(lock, absl::Hours(1));
  }

 private:
  void AwaitDone(MutexLock& lock, absl::Duration patience) {
    done_changed_.wait_for(
        lock.native(), absl::ToChronoMilliseconds(patience), [this] { return IsDone(); });
  }
  bool IsDone() const ABSL_NO_THREAD_SAFETY_ANALYSIS { return done_; }

  void OnReadDone(bool ok) override {
    if (!ok) {
      {
        MutexLock lock(mutex_);
        closing_ = true;
      }
      RemoveHold();
      return;
    }
    LinkNews news{session_, WordsOf(incoming_)};
    if (!IsSilent()) post_(std::move(news));
    StartRead(&incoming_);
  }

  void OnWriteDone(bool ok) override {
    MutexLock lock(mutex_);
    outbox_.pop_front();
    if (!ok || closing_) return;
    if (!outbox_.empty()) {
      StartWrite(&outbox_.front());
    } else if (half_closed_) {
      StartWritesDone();
    }
  }

  void OnDone(const grpc::Status& status) override {
    if (!IsSilent()) post_({session_, {LinkClosed{FromGrpc(status)}}});
    std::shared_ptr<Stream> last = std::move(self_);
    MutexLock lock(mutex_);
    done_ = true;
    done_changed_.notify_all();
  }

  bool IsSilent() {
    MutexLock lock(mutex_);
    return silent_;
  }

  const std::uint64_t session_;
  const std::function<void(LinkNews)> post_;
  const std::unique_ptr<v1::Agents::Stub> stub_;
  grpc::ClientContext context_;
  v1::ServerMessage incoming_;
  std::shared_ptr<Stream> self_;

  Mutex mutex_;
  std::condition_variable done_changed_;
  std::deque<v1::AgentMessage> outbox_ ABSL_GUARDED_BY(mutex_);  // front is the write in flight
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;                 // nothing may be written any more
  bool half_closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool silent_ ABSL_GUARDED_BY(mutex_) = false;
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
};

GrpcLink::GrpcLink(std::shared_ptr<grpc::Channel> channel, std::function<void(LinkNews)> post)
    : channel_(std::move(channel)), post_(std::move(post)) {}

GrpcLink::~GrpcLink() {
  if (!stream_) return;
  stream_->Drop();
  stream_->AwaitDone();
}

void GrpcLink::Open(std::uint64_t session, const Hello& hello) {
  if (stream_) stream_->Drop();
  stream_ = std::make_shared<Stream>(channel_, session, post_);
  v1::AgentMessage message;
  *message.mutable_hello() = ToProto(hello);
  stream_->Start(stream_, std::move(message));
}

void GrpcLink::SendHeartbeat(std::uint64_t sequence, const std::vector<UsageSoFar>& usage) {
  if (!stream_) return;
  v1::AgentMessage message;
  message.mutable_heartbeat()->set_sequence(sequence);
  for (const UsageSoFar& attempt : usage) {
    v1::LiveUsage& said = *message.mutable_heartbeat()->add_usage();
    *said.mutable_id() = ToProto(attempt.key);
    *said.mutable_usage() = potok::ToProto(attempt.usage);
  }
  stream_->Send(std::move(message));
}

void GrpcLink::SendReports(const std::vector<Report>& reports) {
  if (!stream_) return;
  v1::AgentMessage message;
  for (const Report& report : reports) *message.mutable_reports()->add_reports() = ToProto(report);
  stream_->Send(std::move(message));
}

void GrpcLink::SayGoodbye() {
  if (!stream_) return;
  v1::AgentMessage message;
  message.mutable_goodbye();
  stream_->Send(std::move(message));
  stream_->Finish(absl::Seconds(1));
}

}  // namespace potok::agent
