#include "server/rpc/watch_hub.h"

#include <algorithm>
#include <utility>

#include "common/base/overloaded.h"

namespace potok::server {

WatchHub::WatchHub(Projector& projector, int threads)
    : projector_(projector), readers_("watch", threads) {}

std::uint64_t WatchHub::Watch(RunId run,
                              std::int64_t revision,
                              std::function<bool(std::int64_t)> look,
                              std::function<void(const absl::Status&)> end) {
  absl::Status ended;
  {
    MutexLock lock(mutex_);
    if (ended_.ok()) {
      const std::uint64_t number = next_++;
      auto watcher = std::make_shared<Watcher>();
      watcher->run = run;
      watcher->look = std::move(look);
      watcher->end = std::move(end);
      // What was committed before this watch began is not told to it again, but may not be in the
      // tables yet.
      watcher->revision = std::max(revision, head_);
      watchers_[number] = watcher;
      of_run_[run].insert(number);
      Schedule(number, watcher);
      return number;
    }
    ended = ended_;
  }
  end(ended);
  return 0;
}

void WatchHub::LookAgain(std::uint64_t number) {
  MutexLock lock(mutex_);
  if (const auto watcher = watchers_.find(number); watcher != watchers_.end()) {
    Schedule(number, watcher->second);
  }
}

void WatchHub::Unwatch(std::uint64_t number) {
  MutexLock lock(mutex_);
  const auto watcher = watchers_.find(number);
  if (watcher == watchers_.end()) return;
  const auto of_run = of_run_.find(watcher->second->run);
  of_run->second.erase(number);
  if (of_run->second.empty()) of_run_.erase(of_run);
  watchers_.erase(watcher);
}

void WatchHub::EndAll(const absl::Status& why) {
  std::map<std::uint64_t, std::shared_ptr<Watcher>> watchers;
  {
    MutexLock lock(mutex_);
    ended_ = why;
    watchers = watchers_;
  }
  // Out of the lock: each unwatches itself.
  for (const auto& [number, watcher] : watchers) watcher->end(why);
}

void WatchHub::Committed(const Batch& batch) {
  MutexLock lock(mutex_);
  head_ = std::max(head_, batch.revision);
  if (watchers_.empty()) return;
  std::set<RunId> touched;
  for (const Change& change : batch.changes) {
    std::visit(Overloaded{[&](const StepMoved& moved) { touched.insert(moved.step.run); },
                          [&](const RunMoved& moved) { touched.insert(moved.id); },
                          [&](const StepsAdded& added) { touched.insert(added.run); },
                          [](const auto&) {}},
               change);
  }
  for (const RunId run : touched) {
    const auto of_run = of_run_.find(run);
    if (of_run == of_run_.end()) continue;
    for (const std::uint64_t number : of_run->second) {
      const auto& watcher = watchers_[number];
      watcher->revision = std::max(watcher->revision, batch.revision);
      Schedule(number, watcher);
    }
  }
}

void WatchHub::Schedule(std::uint64_t number, const std::shared_ptr<Watcher>& watcher) {
  if (watcher->looking) {
    watcher->again = true;
    return;
  }
  watcher->looking = true;
  readers_.Post([this, number, watcher] { Look(number, watcher); });
}

void WatchHub::Look(std::uint64_t number, const std::shared_ptr<Watcher>& watcher) {
  std::int64_t revision = 0;
  Haste haste = Haste::kWhenever;
  {
    MutexLock lock(mutex_);
    watcher->again = false;
    revision = watcher->revision;
    if (std::exchange(watcher->first, false)) haste = Haste::kNow;
  }
  // The database may be away for long; the watcher is then looked at again, with others in between.
  const bool shown = projector_.WaitFor(revision, absl::Seconds(5), haste).ok();
  const bool go_on = !shown || watcher->look(revision);
  if (!go_on) {
    Unwatch(number);
    return;
  }
  MutexLock lock(mutex_);
  watcher->looking = false;
  if ((watcher->again || !shown) && watchers_.contains(number)) Schedule(number, watcher);
}

}  // namespace potok::server
