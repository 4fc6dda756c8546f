#include "server/rpc/log_stream.h"

#include <algorithm>
#include <utility>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "common/base/status_macros.h"
#include "common/rpc/status.h"
#include "fmt/format.h"

namespace potok::server {

namespace {
constexpr absl::Duration kRestTime = absl::Seconds(1);
// Pieces of which nothing is sent that are read before others have their turn.
constexpr int kPiecesPerTurn = 16;
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
  auto pattern = CheckLogsRequest(request_);
  if (!pattern.ok()) {
    End(pattern.status());
    return;
  }
  pattern_ = *std::move(pattern);
  if (absl::Status shown = context_.projector.WaitFor(revision, absl::Seconds(10), Haste::kNow);
      !shown.ok()) {
    End(absl::UnavailableError("the tables are behind: " + std::string(shown.message())));
    return;
  }
  const auto row = context_.view.reader().GetRun(request_.name());
  absl::Status chosen = row.ok() ? ChooseSteps(*row) : row.status();
  if (chosen.ok() && row->forgotten_us != 0) {
    chosen = absl::NotFoundError(fmt::format(
        "the logs of the run {} are deleted since {}: their retention had ended",
        row->added.name,
        absl::FormatTime(
            "%Y-%m-%dT%H:%M:%SZ", absl::FromUnixMicros(row->forgotten_us), absl::UTCTimeZone())));
  }
  if (!chosen.ok()) {
    End(chosen);
    return;
  }
  const bool goes_on = LookAtSteps();
  Pump();
  if (!goes_on || !request_.follow()) return;
  const std::uint64_t number = context_.hub.Watch(
      row->added.id,
      revision,
      [self = shared_from_this()](std::int64_t) {
        const bool has_more = self->LookAtSteps();
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

// The end of a step is known before the last of its log has arrived. Who asks right after it for
// all there is, waits a moment for that.
void LogStream::AwaitRest(const AttemptKey& key) {
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
  {
    MutexLock lock(mutex_);
    // Whoever is busy sees what is ready before it stops.
    if (ended_ || !looked_ || busy_) return;
    busy_ = true;
  }
  for (int pieces = 0; pieces < kPiecesPerTurn; ++pieces) {
    const std::shared_ptr<Reading> reading = NextReading();
    if (reading == nullptr) return;
    if (ReadFrom(reading) != Step::kNext) return;
  }
  {
    MutexLock lock(mutex_);
    busy_ = false;
  }
  PumpLater();
}

// Whose turn it is, in the order of arrival; without follow, one log after the other. Null: there
// is nothing to read now, and nobody pumps any more.
std::shared_ptr<LogStream::Reading> LogStream::NextReading() {
  {
    MutexLock lock(mutex_);
    if (ended_) return nullptr;
    const std::size_t count =
        request_.follow() ? readings_.size() : std::min<std::size_t>(1, readings_.size());
    for (std::size_t i = 0; i < count; ++i) {
      std::shared_ptr<Reading> reading = readings_[(next_ + i) % count];
      if (!reading->ready) continue;
      next_ = (next_ + i + 1) % count;
      // Of one step what an earlier attempt has left comes first.
      const auto first = std::ranges::find_if(readings_, [&](const auto& other) {
        return other->ready && other->key.index == reading->key.index;
      });
      reading = *first;
      reading->ready = false;
      return reading;
    }
    if (!readings_.empty() || (request_.follow() && steps_ended_ < steps_.size())) {
      busy_ = false;
      return nullptr;
    }
  }
  End(absl::OkStatus());
  return nullptr;
}

LogStream::Step LogStream::ReadFrom(const std::shared_ptr<Reading>& reading) {
  bool ended = false;
  {
    MutexLock lock(mutex_);
    ended = reading->ended;
  }
  if (!request_.follow() && ended) AwaitRest(reading->key);
  // Asked before the read: bytes that come between the two are read by the next round.
  const bool complete =
      context_.logs.IsComplete(reading->key) || (ended && !context_.logs.KnowsEnd(reading->key));
  const auto outcome = reading->source.Next(&response_);
  if (!outcome.ok()) {
    End(outcome.status());
    return Step::kEnded;
  }
  switch (*outcome) {
    case LogSource::Outcome::kPiece:
    case LogSource::Outcome::kNothing: {
      MutexLock lock(mutex_);
      reading->ready = true;
      break;
    }
    case LogSource::Outcome::kAtEnd:
      if (!complete && request_.follow()) {
        WaitForMore(reading);
        return Step::kNext;
      }
      [[fallthrough]];
    case LogSource::Outcome::kDone:
      Drop(reading);
      return reading->source.Conclude(&response_) ? Send() : Step::kNext;
  }
  return *outcome == LogSource::Outcome::kPiece ? Send() : Step::kNext;
}

LogStream::Step LogStream::Send() {
  MutexLock lock(mutex_);
  if (ended_) return Step::kEnded;
  StartWrite(&response_);
  return Step::kWriting;
}

void LogStream::Drop(const std::shared_ptr<Reading>& reading) {
  std::uint64_t waiter = 0;
  {
    MutexLock lock(mutex_);
    std::erase(readings_, reading);
    next_ = 0;
    waiter = std::exchange(reading->waiter, 0);
  }
  if (waiter != 0) context_.logs.CancelNotify(reading->key, waiter);
}

// At the end of a growing log: it is read on when the store says so. Until then it is closed:
// followers of runs of many steps would hold more files than a process may have.
void LogStream::WaitForMore(const std::shared_ptr<Reading>& reading) {
  reading->source.Rest();
  {
    MutexLock lock(mutex_);
    if (std::exchange(reading->armed, true)) return;
  }
  const auto arrived = [self = shared_from_this(), reading] {
    self->context_.readers.Post([self, reading] {
      {
        MutexLock lock(self->mutex_);
        reading->armed = false;
        reading->waiter = 0;
        reading->ready = true;
      }
      self->Pump();
    });
  };
  const std::uint64_t number =
      context_.logs.NotifyBeyond(reading->key, reading->source.offset(), arrived);
  bool ended = false;
  {
    MutexLock lock(mutex_);
    if (reading->armed) reading->waiter = number;  // it may have come already
    ended = ended_;
  }
  if (ended) context_.logs.CancelNotify(reading->key, number);
}

void LogStream::OnWriteDone(bool ok) {
  {
    MutexLock lock(mutex_);
    busy_ = false;
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
  std::vector<std::pair<AttemptKey, std::uint64_t>> waiters;
  {
    MutexLock lock(mutex_);
    if (std::exchange(ended_, true)) return;
    watch = watch_;
    for (const std::shared_ptr<Reading>& reading : readings_) {
      if (reading->waiter != 0) waiters.emplace_back(reading->key, reading->waiter);
    }
    Finish(ToGrpc(status));
  }
  if (watch != 0) context_.hub.Unwatch(watch);
  for (const auto& [key, number] : waiters) context_.logs.CancelNotify(key, number);
}

void LogStream::OnDone() {
  const std::shared_ptr<LogStream> self = std::move(self_);
}

}  // namespace potok::server
