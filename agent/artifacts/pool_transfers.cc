#include "agent/artifacts/pool_transfers.h"

#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <condition_variable>
#include <deque>
#include <set>
#include <thread>

#include "agent/artifacts/collect_outputs.h"
#include "agent/artifacts/keep_outputs.h"
#include "agent/artifacts/stage_inputs.h"
#include "agent/artifacts/step_folders.h"
#include "common/base/status_macros.h"
#include "common/runtime/logging.h"
#include "common/runtime/mutex.h"
#include "common/runtime/real_clock.h"
#include "fmt/format.h"

namespace potok::agent {
namespace {

constexpr absl::Duration kFirstWait = absl::Seconds(1);
constexpr absl::Duration kLastWait = absl::Seconds(15);

bool IsWorthAnotherTry(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnavailable ||
         status.code() == absl::StatusCode::kDeadlineExceeded ||
         status.code() == absl::StatusCode::kResourceExhausted ||
         status.code() == absl::StatusCode::kAborted;
}

}  // namespace

class PoolTransfers::Pool {
 public:
  Pool(CasClient& store, BlobStore* cache, Options options, Post post)
      : store_(store), cache_(cache), options_(std::move(options)), post_(std::move(post)) {
    for (int i = 0; i < options_.threads; ++i) {
      threads_.emplace_back([this, i] {
        NameThread(fmt::format("transfer-{}", i));
        Work();
      });
    }
  }

  ~Pool() {
    {
      MutexLock lock(mutex_);
      closed_ = true;
      changed_.notify_all();
    }
    for (std::thread& thread : threads_) thread.join();
  }

  void Add(std::function<void()> task) {
    MutexLock lock(mutex_);
    tasks_.push_back(std::move(task));
    if (idle_ > 0) changed_.notify_one();
  }

  void Cancel(const AttemptKey& key) {
    MutexLock lock(mutex_);
    canceled_.insert(key);
    changed_.notify_all();
  }

  void Stage(const AttemptOrder& order, const AttemptPaths& paths) {
    StagingDone done;
    const absl::Status status = Persist(order.key, options_.patience_staging, [&] {
      const absl::StatusOr<StagedBytes> staged = StageInputs(order, paths, store_, cache_);
      if (staged.ok()) done.staged = *staged;
      return staged.status();
    });
    done.status = status;
    if (status.ok() && options_.needs_preparing && options_.needs_preparing(order)) {
      Prepare(order, paths, &done);
    }
    Done(order.key, std::move(done));
  }

  void Store(const AttemptOrder& order, const AttemptPaths& paths) {
    absl::StatusOr<CollectedOutputs> collected = CollectOutputs(order, paths);
    if (!collected.ok()) return Done(order.key, OutputsStored{collected.status()});
    if (!collected->blobs.blobs.empty()) {
      const absl::Status status = Persist(
          order.key, options_.patience_storing, [&] { return Send(order, paths, *collected); });
      if (!status.ok()) {
        return Done(order.key,
                    OutputsStored{absl::Status(status.code(),
                                               fmt::format("could not store the outputs: {}",
                                                           std::string(status.message())))});
      }
    }
    if (cache_ != nullptr) KeepOutputs(order.key, *collected, *cache_);
    Done(order.key, OutputsStored{std::move(collected->values)});
  }

 private:
  void Prepare(const AttemptOrder& order, const AttemptPaths& paths, StagingDone* done) {
    absl::StatusOr<PreparedRuntime> runtime =
        options_.prepare(order, paths, [&] { return IsCanceled(order.key); });
    if (runtime.ok()) {
      done->runtime = *std::move(runtime);
      return;
    }
    done->status = runtime.status();
    done->is_of_runtime = true;
    struct stat log {};
    if (stat(paths.log().c_str(), &log) == 0) done->log_bytes = log.st_size;
  }

  // Uploads what was collected. Of a file that has changed since, the next try sends what it is
  // then.
  absl::Status Send(const AttemptOrder& order,
                    const AttemptPaths& paths,
                    CollectedOutputs& collected) {
    const absl::Status sent = store_.Upload(collected.blobs);
    if (!absl::IsAborted(sent)) return sent;
    absl::StatusOr<CollectedOutputs> again = CollectOutputs(order, paths);
    // Whatever its code, another try would find the same.
    if (!again.ok()) return absl::InvalidArgumentError(again.status().message());
    collected = *std::move(again);
    return sent;
  }

  void Work() {
    while (std::optional<std::function<void()>> task = Take()) (*task)();
  }

  std::optional<std::function<void()>> Take() {
    MutexLock lock(mutex_);
    ++idle_;
    changed_.wait(lock.native(), [this] { return HasWork(); });
    --idle_;
    if (closed_) return std::nullopt;
    std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    return task;
  }
  bool HasWork() ABSL_NO_THREAD_SAFETY_ANALYSIS { return closed_ || !tasks_.empty(); }

  // Tries until it works, fails for good, lasts too long or is not wanted any more.
  absl::Status Persist(const AttemptKey& key,
                       absl::Duration patience,
                       const std::function<absl::Status()>& transfer) {
    const absl::Duration give_up_at = BootTime() + patience;
    absl::Duration wait = kFirstWait;
    while (true) {
      if (IsCanceled(key)) return absl::CancelledError("the attempt was stopped");
      const absl::Status status = transfer();
      if (!IsWorthAnotherTry(status) || BootTime() + wait > give_up_at) return status;
      spdlog::warn("transfer failed attempt={} retry_in={} error=\"{}\"",
                   ToString(key),
                   absl::FormatDuration(wait),
                   status.ToString());
      WaitFor(key, wait);
      wait = std::min(wait * 2, kLastWait);
    }
  }

  bool IsCanceled(const AttemptKey& key) {
    MutexLock lock(mutex_);
    return closed_ || canceled_.contains(key);
  }

  void WaitFor(const AttemptKey& key, absl::Duration wait) {
    MutexLock lock(mutex_);
    changed_.wait_for(
        lock.native(), absl::ToChronoMilliseconds(wait), [&] { return IsUnwanted(key); });
  }
  bool IsUnwanted(const AttemptKey& key) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return closed_ || canceled_.contains(key);
  }

  void Done(const AttemptKey& key, AttemptEvent event) {
    {
      MutexLock lock(mutex_);
      canceled_.erase(key);
      if (closed_) return;  // what was cut short is done again by the next agent
    }
    post_(key, std::move(event));
  }

  CasClient& store_;
  BlobStore* const cache_;
  const Options options_;
  const Post post_;
  std::vector<std::thread> threads_;

  Mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_ ABSL_GUARDED_BY(mutex_);
  std::set<AttemptKey> canceled_ ABSL_GUARDED_BY(mutex_);
  int idle_ ABSL_GUARDED_BY(mutex_) = 0;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

PoolTransfers::PoolTransfers(CasClient& store, BlobStore* cache, Options options, Post post)
    : options_(std::move(options)), pool_(std::make_unique<Pool>(store, cache, options_, post)) {
  if (options_.needs_preparing) {
    preparing_ = std::make_unique<Pool>(store, cache, options_, std::move(post));
  }
}

PoolTransfers::~PoolTransfers() = default;

void PoolTransfers::Stage(std::shared_ptr<const AttemptOrder> order, const AttemptPaths& paths) {
  const bool is_slow = options_.needs_preparing && options_.needs_preparing(*order);
  Pool* const pool = is_slow ? preparing_.get() : pool_.get();
  pool->Add([pool, order = std::move(order), paths] { pool->Stage(*order, paths); });
}

void PoolTransfers::Store(std::shared_ptr<const AttemptOrder> order, const AttemptPaths& paths) {
  pool_->Add([pool = pool_.get(), order = std::move(order), paths] { pool->Store(*order, paths); });
}

void PoolTransfers::Remove(const AttemptPaths& paths) {
  pool_->Add([this, paths] {
    if (options_.before_removal) options_.before_removal(paths);
    RemoveFolder(paths.folder);
  });
}

absl::Status PoolTransfers::MakeFolders(const AttemptOrder& order, const AttemptPaths& paths) {
  return MakeStepFolders(order, paths);
}

bool PoolTransfers::HasDefaultArtifacts(const AttemptPaths& paths) {
  return agent::HasDefaultArtifacts(paths);
}

void PoolTransfers::Cancel(const AttemptKey& key) {
  pool_->Cancel(key);
  if (preparing_ != nullptr) preparing_->Cancel(key);
}

}  // namespace potok::agent
