// The thread that keeps the tables up with the journal.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "common/runtime/mutex.h"
#include "server/store/postgres/table_writer.h"
#include "server/store/store.h"

namespace potok::server {

class PostgresProjector final : public Projector {
 public:
  // Starts the thread, which tries for ever; errors are logged.
  explicit PostgresProjector(const std::string& url);
  // Finishes the transaction in hand; what waits stays in the journal.
  ~PostgresProjector() override;

  void Project(Batch batch) override;
  std::int64_t projected_revision() const override;
  absl::Status WaitFor(std::int64_t revision, absl::Duration timeout, Haste haste) override;
  std::int64_t backlog_bytes() const override;

  // Projects the whole journal on the caller's thread. Errors are those of TableWriter::CatchUp.
  absl::Status CatchUp();

 private:
  void Loop();
  // Waits for batches, for the hour of the purge or for the end; then, while nobody hurries, for
  // more batches.
  void AwaitWork();
  void Gather();
  bool HasWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return !waiting_.empty() || dropped_bytes_ > 0;
  }
  // A batch and its SizeOf.
  struct Sized {
    Batch batch;
    std::int64_t bytes = 0;
  };
  // What the next transaction projects, and its bytes.
  std::vector<Batch> TakeBatches(std::int64_t* bytes);
  // Applies until it has worked or the thread shall end.
  void ApplyAll(const std::vector<Batch>& batches, std::int64_t bytes);
  absl::Status ApplyOnce(const std::vector<Batch>& batches, std::int64_t bytes);
  void PurgeIfDue();
  void Publish(std::int64_t projected);

  Mutex writer_mutex_;  // taken before mutex_
  TableWriter writer_ ABSL_GUARDED_BY(writer_mutex_);

  mutable Mutex mutex_;
  std::condition_variable work_;       // something to do, or stop
  std::condition_variable projected_;  // revision_ rose
  std::deque<Sized> waiting_ ABSL_GUARDED_BY(mutex_);
  std::int64_t waiting_bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // of waiting_ and those in hand
  // Batches of so many bytes were let go, and are read of the journal instead.
  std::int64_t dropped_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::int64_t revision_ ABSL_GUARDED_BY(mutex_) = 0;
  std::size_t waiting_changes_ ABSL_GUARDED_BY(mutex_) = 0;  // of waiting_
  bool has_run_news_ ABSL_GUARDED_BY(mutex_) = false;        // in waiting_: people wait for it
  int hurrying_ ABSL_GUARDED_BY(mutex_) = 0;                 // readers that wait now
  bool asleep_ ABSL_GUARDED_BY(mutex_) = false;              // the thread waits for work
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;

  // Of the thread only.
  absl::Time purge_at_;
  std::chrono::steady_clock::time_point began_;  // the latest transaction
  std::thread thread_;                           // last: it uses all of the above
};

}  // namespace potok::server
