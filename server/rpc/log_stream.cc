#include "server/rpc/log_stream.h"

#include <algorithm>
#include <utility>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "common/rpc/status.h"
#include "fmt/format.h"

namespace potok::server {

namespace {
constexpr std::size_t kPieceBytes = std::size_t{256} * 1024;
constexpr absl::Duration kRestTime = absl::Seconds(1);
}  // namespace

LogStream* LogStream::Start(const v1::LogsRequest& request,
                            const LogStreamContext& context,
                            std::int64_t committed_revision) {
  auto* stream = new LogStream(request, context);
  stream->self_ = std::shared_ptr<LogStream>(stream);
  const bool posted = context.readers.Post(
      [self = stream->self_, committed_revision] { self->Find(committed_revision); });
  if (!posted) stream->End(absl::UnavailableError("the server is stopping"));
  return stream;
}

void LogStream::Find(std::int64_t revision) {
  if (absl::Status shown = context_.projector.WaitFor(revision, absl::Seconds(10), Haste::kNow);
      !shown.ok()) {
    End(absl::UnavailableError("the tables are behind: " + std::string(shown.message())));
    return;
  }
  const auto row = context_.view.reader().GetRun(request_.name());
  if (!row.ok()) {
    End(row.status());
    return;
  }
  const auto index = context_.view.FindStep(*row, request_.step());
  if (!index.ok()) {
    End(index.status());
    return;
  }
  {
    MutexLock lock(mutex_);
    if (ended_) return;
    key_ = {row->added.id, *index, static_cast<std::uint32_t>(std::max(0, request_.attempt()))};
  }
  const bool goes_on = LookAtStep();
  if (!request_.follow()) AwaitRest();
  if (!goes_on || !request_.follow()) {
    Pump();
    return;
  }
  const std::uint64_t number = context_.hub.Watch(
      row->added.id,
      revision,
      [self = shared_from_this()](std::int64_t) {
        const bool has_more = self->LookAtStep();
        self->Pump();
        return has_more;
      },
      [self = shared_from_this()](const absl::Status& why) { self->End(why); });
  bool ended = false;
  {
    MutexLock lock(mutex_);
    watch_ = number;
    ended = ended_;
  }
  if (ended) context_.hub.Unwatch(number);
}

// Which attempt is the latest and whether the step has ended. False once nothing more is to be
// learnt.
bool LogStream::LookAtStep() {
  AttemptKey key;
  {
    MutexLock lock(mutex_);
    if (ended_) return false;
    key = key_;
  }
  const auto steps = context_.view.reader().GetSteps(key.run, 0);
  if (!steps.ok()) {
    End(steps.status());
    return false;
  }
  const auto step = std::ranges::find(*steps, key.index, &StepRow::index);
  if (step == steps->end()) return true;
  MutexLock lock(mutex_);
  if (key_.attempt == 0) key_.attempt = step->attempt;
  // A later attempt says that the one being read has ended.
  step_ended_ = IsTerminal(step->state) || step->attempt > key_.attempt;
  return !step_ended_;
}

// The end of a step is known before the last of its log has arrived. Who asks right after it for
// all there is, waits a moment for that.
void LogStream::AwaitRest() {
  AttemptKey key;
  {
    MutexLock lock(mutex_);
    if (ended_ || !step_ended_) return;
    key = key_;
  }
  const absl::Time deadline = absl::Now() + kRestTime;
  while (context_.logs.KnowsEnd(key) && !context_.logs.IsComplete(key) && absl::Now() < deadline) {
    const auto arrived = std::make_shared<absl::Notification>();
    const std::uint64_t number = context_.logs.NotifyBeyond(
        key, context_.logs.SizeOf(key), [arrived] { arrived->Notify(); });
    arrived->WaitForNotificationWithDeadline(deadline);
    context_.logs.CancelNotify(key, number);
  }
}

void LogStream::PumpLater() {
  context_.readers.Post([self = shared_from_this()] { self->Pump(); });
}

void LogStream::Pump() {
  AttemptKey key;
  std::int64_t offset = 0;
  bool step_ended = false;
  {
    MutexLock lock(mutex_);
    if (ended_) return;
    if (busy_) {
      again_ = true;
      return;
    }
    busy_ = true;
    key = key_;
    step_ended = step_ended_;
    if (key.attempt > 0 && !placed_) {
      placed_ = true;
      const std::int64_t size = context_.logs.SizeOf(key);
      offset_ = request_.offset() < 0 ? std::max<std::int64_t>(0, size + request_.offset())
                                      : request_.offset();
    }
    offset = offset_;
  }
  if (key.attempt == 0) {
    if (!request_.follow() || step_ended) {
      End(absl::OkStatus());
      return;
    }
    MutexLock lock(mutex_);
    busy_ = false;
    return;  // the watch pumps again once there is an attempt
  }
  // Asked before the read: bytes that come between the two are read by the next round.
  const bool complete =
      context_.logs.IsComplete(key) || (step_ended && !context_.logs.KnowsEnd(key));
  auto data = context_.logs.Read(key, offset, kPieceBytes);
  if (!data.ok()) {
    End(data.status());
    return;
  }
  if (!data->empty()) {
    MutexLock lock(mutex_);
    if (ended_) return;
    response_.set_offset(offset);
    response_.set_attempt(static_cast<std::int32_t>(key.attempt));
    offset_ += static_cast<std::int64_t>(data->size());
    response_.set_data(*std::move(data));
    StartWrite(&response_);
    return;
  }
  if (complete || !request_.follow()) {
    End(absl::OkStatus());
    return;
  }
  if (WaitForMore(key, offset)) PumpLater();
}

// At the end of a growing log: true if there is more to do already.
bool LogStream::WaitForMore(const AttemptKey& key, std::int64_t offset) {
  {
    MutexLock lock(mutex_);
    busy_ = false;
    if (std::exchange(again_, false)) return true;
    if (std::exchange(waiting_, true)) return false;
  }
  const std::uint64_t number = context_.logs.NotifyBeyond(key, offset, [self = shared_from_this()] {
    self->context_.readers.Post([self] {
      {
        MutexLock lock(self->mutex_);
        self->waiting_ = false;
        self->waiter_ = 0;
      }
      self->Pump();
    });
  });
  bool ended = false;
  {
    MutexLock lock(mutex_);
    if (waiting_) waiter_ = number;  // it may have come already
    ended = ended_;
  }
  if (ended) context_.logs.CancelNotify(key, number);
  return false;
}

void LogStream::OnWriteDone(bool ok) {
  {
    MutexLock lock(mutex_);
    busy_ = false;
    again_ = false;
  }
  if (!ok) {
    End(absl::OkStatus());
    return;
  }
  PumpLater();
}

void LogStream::OnCancel() {
  End(absl::CancelledError("the caller has gone"));
}

void LogStream::End(const absl::Status& status) {
  std::uint64_t watch = 0;
  std::uint64_t waiter = 0;
  AttemptKey key;
  {
    MutexLock lock(mutex_);
    if (std::exchange(ended_, true)) return;
    watch = watch_;
    waiter = waiter_;
    key = key_;
    Finish(ToGrpc(status));
  }
  if (watch != 0) context_.hub.Unwatch(watch);
  if (waiter != 0) context_.logs.CancelNotify(key, waiter);
}

void LogStream::OnDone() {
  const std::shared_ptr<LogStream> self = std::move(self_);
}

}  // namespace potok::server
