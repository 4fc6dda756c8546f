#include "server/rpc/run_watch.h"

#include <algorithm>
#include <utility>

#include "common/rpc/status.h"

namespace potok::server {

namespace {

bool HasEnded(const v1::Run& run) {
  return run.status() == v1::STATUS_COMPLETED || run.status() == v1::STATUS_FAILED ||
         run.status() == v1::STATUS_CANCELED;
}

}  // namespace

RunWatch* RunWatch::Start(const v1::WatchRunRequest& request,
                          RunView& view,
                          WatchHub& hub,
                          Projector& projector,
                          WorkerPool& queries,
                          std::int64_t committed_revision) {
  auto* watch = new RunWatch(view, hub, projector, request);
  watch->self_ = std::shared_ptr<RunWatch>(watch);
  const bool posted =
      queries.Post([self = watch->self_, name = request.name(), committed_revision] {
        self->Find(name, committed_revision);
      });
  if (!posted) watch->End(absl::UnavailableError("the server is stopping"));
  return watch;
}

void RunWatch::Find(const std::string& name, std::int64_t revision) {
  if (absl::Status shown = projector_.WaitFor(revision, absl::Seconds(10), Haste::kNow);
      !shown.ok()) {
    End(absl::UnavailableError("the tables are behind: " + std::string(shown.message())));
    return;
  }
  const auto row = view_.reader().GetRun(name);
  if (!row.ok()) {
    End(row.status());
    return;
  }
  // The hub holds the watch alive by this copy until it is unwatched.
  const std::uint64_t number = hub_.Watch(
      row->added.id,
      revision,
      [self = shared_from_this()](std::int64_t) { return self->Look(); },
      [self = shared_from_this()](const absl::Status& why) { self->End(why); });
  bool ended = false;
  {
    MutexLock lock(mutex_);
    run_ = row->added.id;
    watch_ = number;
    ended = ended_;
  }
  if (ended) hub_.Unwatch(number);
  hub_.LookAgain(number);  // the first look may have come before run_ was set
}

bool RunWatch::Look() {
  RunId id = 0;
  std::int64_t after = 0;
  bool first = false;
  {
    MutexLock lock(mutex_);
    if (ended_ || last_) return false;
    if (run_ == 0) return true;
    if (writing_) {
      again_ = true;
      return true;
    }
    id = run_;
    after = after_;
    first = !sent_;
  }
  // Read before the rows: what is stored meanwhile is sent twice rather than never.
  const std::int64_t revision = projector_.projected_revision();
  auto run = with_steps_ ? view_.Get(id, after) : view_.GetSummary(id);
  if (!run.ok()) {
    End(run.status());
    return false;
  }
  MutexLock lock(mutex_);
  if (ended_) return false;
  const bool has_ended = HasEnded(*run);
  if (!first && run->revision() <= after && run->steps().empty() && !has_ended) return true;
  after_ = std::max(after_, revision);
  response_.Clear();
  response_.set_revision(after_);
  *response_.mutable_run() = *std::move(run);
  sent_ = true;
  last_ = has_ended;
  writing_ = true;
  StartWrite(&response_);
  return !has_ended;
}

void RunWatch::OnWriteDone(bool ok) {
  bool last = false;
  std::uint64_t again = 0;
  {
    MutexLock lock(mutex_);
    writing_ = false;
    last = last_;
    if (std::exchange(again_, false)) again = watch_;
  }
  if (!ok || last) {
    End(absl::OkStatus());
  } else if (again != 0) {
    hub_.LookAgain(again);
  }
}

void RunWatch::OnCancel() {
  End(absl::CancelledError("the caller has gone"));
}

void RunWatch::End(const absl::Status& status) {
  std::uint64_t watch = 0;
  {
    MutexLock lock(mutex_);
    if (std::exchange(ended_, true)) return;
    watch = watch_;
    Finish(ToGrpc(status));
  }
  if (watch != 0) hub_.Unwatch(watch);
}

void RunWatch::OnDone() {
  const std::shared_ptr<RunWatch> self = std::move(self_);
}

}  // namespace potok::server
