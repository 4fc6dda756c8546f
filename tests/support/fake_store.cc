#include "tests/support/fake_store.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "server/domain/fingerprint.h"
#include "server/journal/codec.h"
#include "tests/support/fake_asset_store.h"
#include "tests/support/fake_content.h"

namespace potok::server {

namespace {

using Content = FakeDatabase::Content;
using Lock = std::unique_lock<std::mutex>;

class FakeStore final : public Store {
 public:
  explicit FakeStore(std::shared_ptr<Content> content) : content_(std::move(content)) {}

  absl::StatusOr<Loaded> Load() override {
    const Lock lock(content_->mutex);
    POTOK_RETURN_IF_ERROR(content_->Reach());
    turn_.reset();
    POTOK_RETURN_IF_ERROR(content_->ProjectUntil(content_->head()));
    Loaded loaded;
    loaded.revision = content_->projected;
    loaded.epoch = content_->epoch;
    for (const auto& [name, team] : content_->teams) loaded.changes.emplace_back(team);
    for (const TeamUsed& used : content_->team_uses) loaded.changes.emplace_back(used);
    for (const auto& [id, machine] : content_->machines) {
      loaded.next_machine = id + 1;
      loaded.changes.emplace_back(machine);
    }
    for (const auto& [name, pool] : content_->pools) loaded.changes.emplace_back(pool);
    for (const auto& [id, run] : content_->runs) {
      loaded.next_run = id + 1;
      if (IsTerminal(run.row.status)) continue;
      loaded.changes.emplace_back(run.row.added);
      if (run.moved_us == 0) continue;
      loaded.changes.emplace_back(
          RunMoved{id, run.row.status, run.row.reason, absl::FromUnixMicros(run.moved_us)});
    }
    for (const auto& [id, changes] : content_->growth) {
      if (IsTerminal(content_->runs.at(id).row.status)) continue;
      loaded.changes.insert(loaded.changes.end(), changes.begin(), changes.end());
    }
    for (const auto& [key, step] : content_->steps) {
      if (!IsTerminal(content_->runs.at(key.run).row.status))
        loaded.changes.emplace_back(step.moved);
    }
    for (const auto& [fingerprint, key] : content_->results) {
      loaded.offered.push_back(PrefixOf(fingerprint));
    }
    return loaded;
  }

  absl::StatusOr<std::vector<std::optional<std::string>>> ClaimInTurn(
      const std::vector<Claim>& claims) override {
    const Lock lock(content_->mutex);
    turn_.reset();
    POTOK_RETURN_IF_ERROR(content_->Reach());
    turn_.emplace();
    std::vector<std::optional<std::string>> answers;
    for (const Claim& claim : claims) answers.push_back(MakeClaim(claim));
    return answers;
  }

  absl::Status Commit(const Batch& batch, const std::vector<Claim>& claims) override {
    const Lock lock(content_->mutex);
    POTOK_RETURN_IF_ERROR(content_->Reach());
    if (content_->fail_before > 0) {
      --content_->fail_before;
      turn_.reset();
      return absl::UnavailableError("failed on demand, nothing stored");
    }
    if (std::exchange(content_->abort, false)) {
      turn_.reset();
      return absl::AbortedError("aborted on demand");
    }
    if (!turn_.has_value()) {
      turn_.emplace();
      for (const Claim& claim : claims) MakeClaim(claim);
    }
    const auto made = std::exchange(turn_, std::nullopt);
    if (batch.revision != content_->head() + 1) return CheckOurs(batch);
    content_->journal.push_back({batch.writer, Encode(batch.changes)});
    content_->claims.insert(made->begin(), made->end());
    if (std::exchange(content_->fail_after, false)) {
      return absl::UnavailableError("failed on demand, all stored");
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::int64_t> ReadEpoch() override {
    const Lock lock(content_->mutex);
    POTOK_RETURN_IF_ERROR(content_->Reach());
    std::int64_t epoch = content_->epoch;
    for (std::int64_t revision = content_->projected + 1; revision <= content_->head();
         ++revision) {
      POTOK_ASSIGN_OR_RETURN(const std::vector<Change> changes, content_->Read(revision));
      for (const Change& change : changes) {
        const auto* started = std::get_if<ServerStarted>(&change);
        if (started != nullptr) epoch = std::max(epoch, started->epoch);
      }
    }
    return epoch;
  }

 private:
  using Turn = std::map<std::pair<std::string, std::string>, std::string>;

  std::optional<std::string> MakeClaim(const Claim& claim) {
    const std::pair key(claim.kind, claim.key);
    const auto held = content_->claims.find(key);
    if (held != content_->claims.end()) return held->second;
    const auto [made, is_new] = turn_->insert({key, claim.value});
    return is_new ? std::nullopt : std::optional(made->second);
  }

  absl::Status CheckOurs(const Batch& batch) const {
    const bool exists = batch.revision >= 1 && batch.revision <= content_->head();
    if (exists &&
        content_->journal[static_cast<std::size_t>(batch.revision - 1)].writer == batch.writer) {
      return absl::OkStatus();
    }
    return absl::FailedPreconditionError(
        fmt::format("revision {} of the journal is not ours", batch.revision));
  }

  const std::shared_ptr<Content> content_;
  std::optional<Turn> turn_;  // claims of the open turn
};

class FakeProjector final : public Projector {
 public:
  explicit FakeProjector(std::shared_ptr<Content> content) : content_(std::move(content)) {}

  void Project(Batch batch) override {
    const Lock lock(content_->mutex);
    if (batch.revision > content_->projected) {
      content_->waiting[batch.revision] = SizeOf(batch);
    }
    if (!content_->hold) content_->ProjectUntil(batch.revision).IgnoreError();
  }
  std::int64_t projected_revision() const override {
    const Lock lock(content_->mutex);
    return content_->projected;
  }
  absl::Status WaitFor(std::int64_t revision, absl::Duration timeout, Haste /*haste*/) override {
    Lock lock(content_->mutex);
    const bool reached = content_->projected_rose.wait_for(
        lock, absl::ToChronoNanoseconds(timeout), [&] { return content_->projected >= revision; });
    return reached ? absl::OkStatus() : absl::DeadlineExceededError("not projected in time");
  }
  std::int64_t backlog_bytes() const override {
    const Lock lock(content_->mutex);
    std::int64_t bytes = 0;
    for (const auto& [revision, size] : content_->waiting) bytes += size;
    return bytes;
  }

 private:
  const std::shared_ptr<Content> content_;
};

}  // namespace

FakeDatabase::FakeDatabase() : content_(std::make_shared<Content>()) {}
FakeDatabase::~FakeDatabase() = default;

StoreBundle FakeDatabase::Open() {
  return {std::make_unique<FakeStore>(content_),
          std::make_unique<FakeProjector>(content_),
          MakeFakeReader(content_),
          std::make_unique<FakeAssetStore>(),
          nullptr};
}

void FakeDatabase::FailCommitsBeforeStoring(int times) {
  const Lock lock(content_->mutex);
  content_->fail_before = times;
}
void FakeDatabase::FailNextCommitAfterStoring() {
  const Lock lock(content_->mutex);
  content_->fail_after = true;
}
void FakeDatabase::AbortNextCommit() {
  const Lock lock(content_->mutex);
  content_->abort = true;
}
void FakeDatabase::SetUnreachable(bool unreachable) {
  const Lock lock(content_->mutex);
  content_->unreachable = unreachable;
}
void FakeDatabase::HoldProjector(bool hold) {
  const Lock lock(content_->mutex);
  content_->hold = hold;
  if (!hold && !content_->waiting.empty()) {
    content_->ProjectUntil(content_->waiting.rbegin()->first).IgnoreError();
  }
}
void FakeDatabase::AppendAsOther(const std::vector<Change>& changes) {
  const Lock lock(content_->mutex);
  content_->journal.push_back({"another server", Encode(changes)});
}
void FakeDatabase::AppendGarbage() {
  const Lock lock(content_->mutex);
  content_->journal.push_back({"another server", "\xff garbage"});
}
std::int64_t FakeDatabase::head() const {
  const Lock lock(content_->mutex);
  return content_->head();
}
std::vector<Change> FakeDatabase::ChangesAt(std::int64_t revision) const {
  const Lock lock(content_->mutex);
  return *content_->Read(revision);
}

}  // namespace potok::server
