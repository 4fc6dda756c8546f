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

bool IsCountedFromNow(const v1::LogsRequest& request) {
  return request.tail_lines() > 0 || request.offset() < 0 || request.since_us() != 0;
}
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
  const absl::Status chosen = row.ok() ? ChooseSteps(*row) : row.status();
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

absl::Status LogStream::ChooseSteps(const RunRow& row) {
  using Found = std::vector<std::pair<std::uint32_t, std::string>>;
  const std::vector<std::string> patterns(request_.steps().begin(), request_.steps().end());
  POTOK_ASSIGN_OR_RETURN(const Found found,
                         context_.view.FindSteps(row, request_.step(), patterns));
  MutexLock lock(mutex_);
  run_ = row.added.id;
  for (const auto& [index, name] : found) steps_[index].name = name;
  for (const v1::LogPosition& position : request_.resume_at()) {
    const auto step = std::ranges::find_if(
        steps_, [&](const auto& entry) { return entry.second.name == position.step(); });
    if (step == steps_.end()) {
      return absl::InvalidArgumentError(fmt::format(
          "resume_at names the step '{}', which is not among those asked for", position.step()));
    }
    if (position.attempt() < 1 || position.offset() < 0) {
      return absl::InvalidArgumentError("resume_at needs an attempt from 1 and an offset from 0");
    }
    step->second.resume_at = &position;
  }
  return absl::OkStatus();
}

// Which attempts there are, and which of the steps have ended. False once nothing more is to be
// learnt.
bool LogStream::LookAtSteps() {
  RunId run = 0;
  std::int64_t after = 0;
  {
    MutexLock lock(mutex_);
    if (ended_) return false;
    run = run_;
    after = seen_revision_;
  }
  const auto rows = context_.view.reader().GetSteps(run, after);
  if (!rows.ok()) {
    End(rows.status());
    return false;
  }
  MutexLock lock(mutex_);
  for (const StepRow& row : *rows) {
    seen_revision_ = std::max(seen_revision_, row.revision);
    LookAtStep(row.index, row.attempt, IsTerminal(row.state));
  }
  looked_ = true;
  return steps_ended_ < steps_.size();
}

void LogStream::LookAtStep(std::uint32_t index, std::uint32_t attempt, bool ended) {
  const auto found = steps_.find(index);
  if (found == steps_.end()) return;
  WantedStep& step = found->second;
  const auto only = static_cast<std::uint32_t>(std::max(0, request_.attempt()));
  // A later attempt says that the one asked for has ended.
  const bool nothing_comes = ended || (only > 0 && attempt > only);
  if (nothing_comes && !step.ended) ++steps_ended_;
  step.ended = step.ended || nothing_comes;
  std::uint32_t from = step.attempts + 1;
  if (step.attempts == 0) {
    from = step.resume_at != nullptr ? static_cast<std::uint32_t>(step.resume_at->attempt())
                                     : std::max(attempt, 1U);
  }
  if (only > 0) from = only;
  const std::uint32_t to = only > 0 ? only : attempt;
  for (std::uint32_t number = from; number <= to && number > step.attempts; ++number) {
    AddReading(index, number, step.ended || number < attempt);
    step.attempts = number;
  }
  for (const std::shared_ptr<Reading>& reading : readings_) {
    if (reading->key.index != index || reading->ended) continue;
    reading->ended = step.ended || reading->key.attempt < attempt;
    reading->ready = reading->ready || reading->ended;
  }
}

void LogStream::AddReading(std::uint32_t index, std::uint32_t attempt, bool ended) {
  const WantedStep& step = steps_[index];
  const AttemptKey key{run_, index, attempt};
  std::optional<std::int64_t> offset;
  if (step.resume_at != nullptr) {
    const bool is_named = static_cast<std::uint32_t>(step.resume_at->attempt()) == attempt;
    offset = is_named ? step.resume_at->offset() : 0;
  } else if (step.attempts > 0 || (looked_ && IsCountedFromNow(request_))) {
    offset = 0;  // of one that joins, all
  }
  readings_.push_back(std::make_shared<Reading>(
      key, LogSource(context_.logs.ReaderOf(key), step.name, attempt, request_, pattern_, offset)));
  readings_.back()->ended = ended;
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

// At the end of a growing log: it is read on when the store says so.
void LogStream::WaitForMore(const std::shared_ptr<Reading>& reading) {
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
