#include "server/store/postgres/postgres_projector.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/time/clock.h"
#include "common/base/status_macros.h"
#include "common/runtime/logging.h"
#include "fmt/format.h"
#include "server/store/postgres/journal_table.h"
#include "spdlog/spdlog.h"

namespace potok::server {

namespace {

// Of one transaction. Of a step's moves in one transaction only the last is written, so that a
// projector that is behind has less to do the more it takes at once; small enough that readers see
// something every second.
constexpr std::size_t kChangesMax = 200'000;
// From the start of one transaction to the next while turns keep coming: a chain of short steps
// would otherwise pay a transaction for every turn, which costs PostgreSQL and this process more
// than all the rest of a turn (docs/benchmarks.md). A reader who waits shortens it.
constexpr std::chrono::milliseconds kGather(50);
constexpr std::chrono::milliseconds kGatherForReader(4);
// What may wait in memory; four times what pauses new runs (docs/decisions/0001-journal-first.md).
constexpr std::int64_t kWaitingBytesMax = std::int64_t{256} << 20;
constexpr absl::Duration kPurgeInterval = absl::Minutes(1);
constexpr absl::Duration kBackoffMin = absl::Milliseconds(50);
constexpr absl::Duration kBackoffMax = absl::Seconds(5);

// Of a run as a whole: that it began or ended is what people wait for.
bool IsOfRun(const Change& change) {
  return std::holds_alternative<RunAdded>(change) || std::holds_alternative<RunMoved>(change);
}

}  // namespace

PostgresProjector::PostgresProjector(const std::string& url)
    : writer_(url), purge_at_(absl::Now()), thread_([this] { Loop(); }) {}

PostgresProjector::~PostgresProjector() {
  {
    MutexLock lock(mutex_);
    stop_ = true;
  }
  work_.notify_all();
  projected_.notify_all();
  thread_.join();
}

void PostgresProjector::Project(Batch batch) {
  const std::int64_t bytes = SizeOf(batch);
  {
    MutexLock lock(mutex_);
    waiting_bytes_ += bytes;
    waiting_changes_ += batch.changes.size();
    has_run_news_ = has_run_news_ || std::ranges::any_of(batch.changes, IsOfRun);
    waiting_.push_back({std::move(batch), bytes});
    if (waiting_bytes_ > kWaitingBytesMax) {
      // The thread finds the gap and reads the journal.
      dropped_bytes_ += waiting_bytes_;
      waiting_bytes_ = 0;
      waiting_changes_ = 0;
      waiting_.clear();
    }
    // A thread that gathers wakes up by itself: no switch to it for every turn.
    if (!asleep_ && !has_run_news_ && waiting_changes_ < kChangesMax) return;
  }
  work_.notify_one();
}

std::int64_t PostgresProjector::projected_revision() const {
  MutexLock lock(mutex_);
  return revision_;
}

std::int64_t PostgresProjector::backlog_bytes() const {
  MutexLock lock(mutex_);
  return waiting_bytes_ + dropped_bytes_;
}

absl::Status PostgresProjector::WaitFor(std::int64_t revision,
                                        absl::Duration timeout,
                                        Haste haste) {
  const auto deadline = std::chrono::steady_clock::now() +
                        absl::ToChronoNanoseconds(std::min(timeout, absl::Hours(24)));
  MutexLock lock(mutex_);
  const bool hurries = haste == Haste::kNow && revision_ < revision;
  if (hurries && hurrying_++ == 0) work_.notify_one();
  while (revision_ < revision && !stop_) {
    if (projected_.wait_until(lock.native(), deadline) == std::cv_status::timeout) break;
  }
  if (hurries) --hurrying_;
  if (revision_ >= revision) return absl::OkStatus();
  return absl::DeadlineExceededError(
      fmt::format("the tables show revision {} and not yet {} after {}: the database is slow or "
                  "cannot be reached; try again",
                  revision_,
                  revision,
                  absl::FormatDuration(timeout)));
}

absl::Status PostgresProjector::CatchUp() {
  MutexLock writing(writer_mutex_);
  POTOK_ASSIGN_OR_RETURN(const std::int64_t projected, writer_.CatchUp());
  Publish(projected);
  return absl::OkStatus();
}

void PostgresProjector::Publish(std::int64_t projected) {
  {
    MutexLock lock(mutex_);
    revision_ = std::max(revision_, projected);
  }
  projected_.notify_all();
}

void PostgresProjector::Loop() {
  NameThread("projector");
  while (true) {
    AwaitWork();
    Gather();
    std::int64_t bytes = 0;
    const std::vector<Batch> batches = TakeBatches(&bytes);
    {
      MutexLock lock(mutex_);
      if (stop_) return;
    }
    ApplyAll(batches, bytes);
    PurgeIfDue();
  }
}

void PostgresProjector::AwaitWork() {
  const auto until =
      std::chrono::steady_clock::now() +
      absl::ToChronoNanoseconds(std::max(purge_at_ - absl::Now(), absl::ZeroDuration()));
  MutexLock lock(mutex_);
  asleep_ = true;
  while (!stop_ && !HasWork()) {
    if (work_.wait_until(lock.native(), until) == std::cv_status::timeout) break;
  }
  asleep_ = false;
}

void PostgresProjector::Gather() {
  MutexLock lock(mutex_);
  while (!stop_ && HasWork() && dropped_bytes_ == 0 && waiting_changes_ < kChangesMax) {
    const bool soon = hurrying_ > 0 || has_run_news_;
    const auto due = began_ + (soon ? kGatherForReader : kGather);
    if (std::chrono::steady_clock::now() >= due) break;
    work_.wait_until(lock.native(), due);
  }
  began_ = std::chrono::steady_clock::now();
}

std::vector<Batch> PostgresProjector::TakeBatches(std::int64_t* bytes) {
  std::vector<Batch> batches;
  std::size_t changes = 0;
  MutexLock lock(mutex_);
  has_run_news_ = false;
  while (!waiting_.empty() && changes < kChangesMax) {
    Sized& next = waiting_.front();
    changes += next.batch.changes.size();
    waiting_changes_ -= next.batch.changes.size();
    *bytes += next.bytes;
    batches.push_back(std::move(next.batch));
    waiting_.pop_front();
  }
  return batches;
}

void PostgresProjector::ApplyAll(const std::vector<Batch>& batches, std::int64_t bytes) {
  absl::Duration backoff = kBackoffMin;
  while (true) {
    const absl::Status status = ApplyOnce(batches, bytes);
    MutexLock lock(mutex_);
    if (status.ok() || stop_) return;
    spdlog::warn("tables not updated, trying again after={} error=\"{}\"",
                 absl::FormatDuration(backoff),
                 status.ToString());
    const auto until = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(backoff);
    while (!stop_ && work_.wait_until(lock.native(), until) != std::cv_status::timeout) {
    }
    if (stop_) return;
    backoff = std::min(backoff * 2, kBackoffMax);
  }
}

absl::Status PostgresProjector::ApplyOnce(const std::vector<Batch>& batches, std::int64_t bytes) {
  MutexLock writing(writer_mutex_);
  std::int64_t dropped = 0;
  {
    MutexLock lock(mutex_);
    dropped = dropped_bytes_;
  }
  if (batches.empty() && dropped == 0) return absl::OkStatus();
  POTOK_ASSIGN_OR_RETURN(std::int64_t projected, writer_.Apply(batches));
  if (dropped > 0 || projected < batches.back().revision) {
    POTOK_ASSIGN_OR_RETURN(projected, writer_.CatchUp());
  }
  MutexLock lock(mutex_);
  dropped_bytes_ -= dropped;
  // Batches in hand may have been counted as dropped meanwhile.
  waiting_bytes_ = std::max<std::int64_t>(0, waiting_bytes_ - bytes);
  revision_ = std::max(revision_, projected);
  projected_.notify_all();
  return absl::OkStatus();
}

void PostgresProjector::PurgeIfDue() {
  if (absl::Now() < purge_at_) return;
  purge_at_ = absl::Now() + kPurgeInterval;
  MutexLock writing(writer_mutex_);
  while (true) {
    const absl::StatusOr<std::int64_t> purged = writer_.Purge();
    if (!purged.ok()) {
      spdlog::warn("old journal rows not deleted error=\"{}\"", purged.status().ToString());
      return;
    }
    if (*purged < kPurgeRows) return;
    MutexLock lock(mutex_);
    if (stop_ || !waiting_.empty()) return;
  }
}

}  // namespace potok::server
