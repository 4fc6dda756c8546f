#include "tests/support/fake_store.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "server/domain/fingerprint.h"
#include "server/journal/codec.h"
#include "server/store/projection.h"
#include "tests/support/fake_asset_store.h"

namespace potok::server {

struct FakeDatabase::Content {
  struct Row {
    std::string writer;
    std::string batch;
  };
  struct Step {
    StepMoved moved;
    std::int64_t revision = 0;
  };

  std::mutex mutex;
  std::condition_variable projected_rose;

  std::vector<Row> journal;  // revision 1 first
  std::map<std::pair<std::string, std::string>, std::string> claims;
  std::map<Digest, std::string> specs;

  std::int64_t projected = 0;
  std::map<RunId, RunFacts> runs;
  std::map<StepKey, Step> steps;
  std::map<RunId, std::vector<Change>> growth;  // StepsAdded and TrialMeasured, as they came
  std::map<MachineId, MachineChanged> machines;
  std::map<Fingerprint, StepKey> results;
  std::map<StepKey, Offer> offers;
  struct Edit {
    RunAdded added;
    bool archived = false;
  };
  std::map<RunId, Edit> edits;
  std::map<RunId, std::vector<ArtifactUse>> uses;
  std::int64_t epoch = 0;

  int fail_before = 0;
  bool fail_after = false;
  bool abort = false;
  bool unreachable = false;
  bool hold = false;
  std::map<std::int64_t, std::int64_t> waiting;  // bytes by revision

  std::int64_t head() const { return static_cast<std::int64_t>(journal.size()); }

  absl::Status Reach() const {
    return unreachable ? absl::UnavailableError("the database cannot be reached")
                       : absl::OkStatus();
  }

  absl::StatusOr<std::vector<Change>> Read(std::int64_t revision) const {
    const Row& row = journal.at(static_cast<std::size_t>(revision - 1));
    absl::StatusOr<std::vector<Change>> changes = Decode(row.batch);
    if (changes.ok()) return changes;
    return absl::DataLossError(fmt::format("cannot read revision {} of the journal: {}",
                                           revision,
                                           std::string(changes.status().message())));
  }

  absl::Status ProjectUntil(std::int64_t revision) {
    for (; projected < std::min(revision, head()); ++projected) {
      POTOK_ASSIGN_OR_RETURN(const std::vector<Change> changes, Read(projected + 1));
      for (const Change& change : changes) Apply(change, projected + 1);
      waiting.erase(projected + 1);
    }
    projected_rose.notify_all();
    return absl::OkStatus();
  }

  void Apply(const Change& change, std::int64_t revision) {
    if (const auto* started = std::get_if<ServerStarted>(&change)) {
      epoch = std::max(epoch, started->epoch);
    } else if (const auto* machine = std::get_if<MachineChanged>(&change)) {
      machines[machine->id] = *machine;
    } else if (const auto* added = std::get_if<RunAdded>(&change)) {
      runs[added->id] = FactsOf(*added, revision);
    } else if (const auto* run_moved = std::get_if<RunMoved>(&change)) {
      const auto run = runs.find(run_moved->id);
      if (run != runs.end()) Fold(*run_moved, revision, &run->second);
    } else if (const auto* moved = std::get_if<StepMoved>(&change)) {
      const auto run = runs.find(moved->step.run);
      std::optional<AttemptEnded> ended;
      if (run == runs.end() || !Fold(*moved, revision, &run->second, &ended)) return;
      steps[moved->step] = {*moved, revision};
      if (!moved->offer.has_value()) return;
      results[moved->offer->fingerprint] = moved->step;
      offers[moved->step] = *moved->offer;
    } else if (const auto* grown = std::get_if<StepsAdded>(&change)) {
      const auto run = runs.find(grown->run);
      if (run == runs.end() || !Fold(*grown, revision, &run->second)) return;
      growth[grown->run].push_back(change);
    } else if (const auto* measured = std::get_if<TrialMeasured>(&change)) {
      growth[measured->run].push_back(change);
    }
  }

  FoundResult ResultOf(const Fingerprint& fingerprint, const StepKey& key) const {
    const StepRow row =
        RowOf(steps.at(key).moved, runs.at(key.run).steps.at(key.index), steps.at(key).revision);
    return {fingerprint,
            {{key.run, key.index, row.attempt},
             std::get<Succeeded>(row.state).outputs,
             absl::FromUnixMicros(row.ended_us),
             row.started_us == 0 ? 0 : row.ended_us - row.started_us}};
  }
};

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
    for (const auto& [id, machine] : content_->machines) {
      loaded.next_machine = id + 1;
      loaded.changes.emplace_back(machine);
    }
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

class FakeReader final : public Reader {
 public:
  explicit FakeReader(std::shared_ptr<Content> content) : content_(std::move(content)) {}

  absl::Status PutSpec(const Digest& digest, const std::string& spec) override {
    const Lock lock(content_->mutex);
    POTOK_RETURN_IF_ERROR(content_->Reach());
    content_->specs.insert({digest, spec});
    return absl::OkStatus();
  }
  absl::StatusOr<std::string> GetSpec(const Digest& digest) override {
    const Lock lock(content_->mutex);
    POTOK_RETURN_IF_ERROR(content_->Reach());
    const auto found = content_->specs.find(digest);
    if (found != content_->specs.end()) return found->second;
    return absl::NotFoundError(fmt::format("no pipeline with digest {} is stored", digest.Hex()));
  }
  absl::StatusOr<RunRow> GetRun(const std::string& name) override {
    const Lock lock(content_->mutex);
    POTOK_RETURN_IF_ERROR(content_->Reach());
    for (const auto& [id, run] : content_->runs) {
      if (run.row.added.name == name) return Edited(run.row);
    }
    return absl::NotFoundError(fmt::format("there is no run '{}'", name));
  }
  absl::StatusOr<RunRow> GetRunById(RunId id) override {
    const Lock lock(content_->mutex);
    POTOK_RETURN_IF_ERROR(content_->Reach());
    const auto found = content_->runs.find(id);
    if (found != content_->runs.end()) return Edited(found->second.row);
    return absl::NotFoundError(fmt::format("there is no run number {}", id));
  }
  absl::StatusOr<std::vector<StepsAdded>> GetAddedSteps(RunId run, std::uint32_t from) override {
    const Lock lock(content_->mutex);
    POTOK_RETURN_IF_ERROR(content_->Reach());
    std::vector<StepsAdded> added;
    for (const Change& change : content_->growth[run]) {
      const auto* steps = std::get_if<StepsAdded>(&change);
      if (steps != nullptr && steps->first >= from) added.push_back(*steps);
    }
    return added;
  }
  absl::StatusOr<std::vector<StepRow>> GetSteps(RunId run, std::int64_t after_revision) override {
    const Lock lock(content_->mutex);
    POTOK_RETURN_IF_ERROR(content_->Reach());
    std::vector<StepRow> rows;
    for (auto at = content_->steps.lower_bound({run, 0});
         at != content_->steps.end() && at->first.run == run;
         ++at) {
      if (at->second.revision <= after_revision) continue;
      rows.push_back(RowOf(
          at->second.moved, content_->runs.at(run).steps.at(at->first.index), at->second.revision));
    }
    return rows;
  }
  absl::StatusOr<std::vector<RunRow>> ListRuns(const RunFilter& filter) override {
    const Lock lock(content_->mutex);
    POTOK_RETURN_IF_ERROR(content_->Reach());
    std::vector<RunRow> rows;
    for (auto at = content_->runs.rbegin(); at != content_->runs.rend(); ++at) {
      if (static_cast<int>(rows.size()) >= filter.limit) break;
      const RunRow row = Edited(at->second.row);
      if (Passes(row, filter)) rows.push_back(row);
    }
    return rows;
  }
  absl::StatusOr<std::vector<MachineChanged>> ListMachines() override {
    const Lock lock(content_->mutex);
    POTOK_RETURN_IF_ERROR(content_->Reach());
    std::vector<MachineChanged> machines;
    for (const auto& [id, machine] : content_->machines) machines.push_back(machine);
    return machines;
  }
  absl::StatusOr<std::vector<FoundResult>> FindResults(
      const std::vector<Fingerprint>& fingerprints) override {
    const Lock lock(content_->mutex);
    POTOK_RETURN_IF_ERROR(content_->Reach());
    std::vector<FoundResult> found;
    for (const Fingerprint& fingerprint : fingerprints) {
      const auto result = content_->results.find(fingerprint);
      if (result == content_->results.end()) continue;
      found.push_back(content_->ResultOf(fingerprint, result->second));
    }
    return found;
  }
  absl::StatusOr<std::vector<FoundResult>> ResultsOfRun(RunId run) override {
    return ResultsIf([&](const StepKey& key) { return key.run == run; });
  }
  absl::StatusOr<std::vector<FoundResult>> ResultsOfKin(std::uint64_t kin,
                                                        std::int64_t before_us,
                                                        int limit) override {
    POTOK_ASSIGN_OR_RETURN(std::vector<FoundResult> found, ResultsIf([&](const StepKey& key) {
                             return content_->offers.at(key).kin == kin &&
                                    absl::ToUnixMicros(content_->steps.at(key).moved.at) <
                                        before_us;
                           }));
    std::ranges::sort(found, std::greater(), [](const FoundResult& of) { return of.result.ended; });
    if (found.size() > static_cast<std::size_t>(limit))
      found.resize(static_cast<std::size_t>(limit));
    return found;
  }

  absl::StatusOr<RunRow> EditRun(RunId id,
                                 const std::function<absl::Status(RunRow&)>& edit) override {
    const Lock lock(content_->mutex);
    POTOK_RETURN_IF_ERROR(content_->Reach());
    const auto found = content_->runs.find(id);
    if (found == content_->runs.end()) {
      return absl::NotFoundError(fmt::format("there is no run number {}", id));
    }
    RunRow row = Edited(found->second.row);
    POTOK_RETURN_IF_ERROR(edit(row));
    content_->edits[id] = {row.added, row.archived};
    return row;
  }
  absl::StatusOr<std::vector<RunId>> ListRunsWithoutUses(int limit) override {
    const Lock lock(content_->mutex);
    POTOK_RETURN_IF_ERROR(content_->Reach());
    std::vector<RunId> runs;
    for (const auto& [id, run] : content_->runs) {
      const bool is_wanted = run.row.ended_us != 0 && !content_->uses.contains(id);
      if (is_wanted && static_cast<int>(runs.size()) < limit) runs.push_back(id);
    }
    return runs;
  }
  absl::Status PutUses(RunId run, const std::vector<ArtifactUse>& uses) override {
    const Lock lock(content_->mutex);
    POTOK_RETURN_IF_ERROR(content_->Reach());
    const auto found = content_->runs.find(run);
    if (found != content_->runs.end() && found->second.row.ended_us != 0) {
      content_->uses.insert({run, uses});
    }
    return absl::OkStatus();
  }
  absl::StatusOr<std::vector<ArtifactUse>> FindUses(const ArtifactUseFilter& filter) override {
    const Lock lock(content_->mutex);
    POTOK_RETURN_IF_ERROR(content_->Reach());
    std::vector<ArtifactUse> found;
    for (auto at = content_->uses.rbegin(); at != content_->uses.rend(); ++at) {
      if (filter.before_run != 0 && at->first >= filter.before_run) continue;
      for (const ArtifactUse& use : at->second) {
        const bool fits =
            std::find(filter.roles.begin(), filter.roles.end(), use.role) != filter.roles.end();
        const bool has_room = static_cast<int>(found.size()) < filter.limit;
        if (fits && has_room && use.digest == filter.digest) found.push_back(use);
      }
    }
    return found;
  }

 private:
  template <class Condition>
  absl::StatusOr<std::vector<FoundResult>> ResultsIf(const Condition& condition) {
    const Lock lock(content_->mutex);
    POTOK_RETURN_IF_ERROR(content_->Reach());
    std::vector<FoundResult> found;
    for (const auto& [fingerprint, key] : content_->results) {
      if (condition(key)) found.push_back(content_->ResultOf(fingerprint, key));
    }
    return found;
  }

  RunRow Edited(RunRow row) const {
    const auto edit = content_->edits.find(row.added.id);
    if (edit == content_->edits.end()) return row;
    row.added = edit->second.added;
    row.archived = edit->second.archived;
    return row;
  }

  static bool HoldsText(const std::string& within, const std::string& text) {
    return absl::StrContains(absl::AsciiStrToLower(within), absl::AsciiStrToLower(text));
  }

  static bool Passes(const RunRow& row, const RunFilter& filter) {
    if (filter.archived == RunFilter::Archived::kLeftOut && row.archived) return false;
    if (filter.archived == RunFilter::Archived::kOnly && !row.archived) return false;
    if (filter.created_before_us != 0 && row.created_us >= filter.created_before_us) return false;
    const RunAdded& added = row.added;
    if (!HoldsText(added.name, filter.text) &&
        !HoldsText((added.display_name + "\n" + added.description).substr(0, 500), filter.text)) {
      return false;
    }
    const std::vector<RunStatus>& status = filter.status;
    if (!status.empty() && std::find(status.begin(), status.end(), row.status) == status.end()) {
      return false;
    }
    if (filter.before_run != 0 && row.added.id >= filter.before_run) return false;
    if (!filter.experiment_name.empty() && row.added.experiment_name != filter.experiment_name) {
      return false;
    }
    if (!filter.submitter.empty() && row.added.submitter != filter.submitter) return false;
    if (row.created_us < filter.created_after_us) return false;
    for (const auto& tag : filter.tags) {
      const auto own = row.added.tags.find(tag.first);
      if (own == row.added.tags.end() || own->second != tag.second) return false;
    }
    return row.added.name.compare(0, filter.name_prefix.size(), filter.name_prefix) == 0;
  }

  const std::shared_ptr<Content> content_;
};

}  // namespace

FakeDatabase::FakeDatabase() : content_(std::make_shared<Content>()) {}
FakeDatabase::~FakeDatabase() = default;

StoreBundle FakeDatabase::Open() {
  return {std::make_unique<FakeStore>(content_),
          std::make_unique<FakeProjector>(content_),
          std::make_unique<FakeReader>(content_),
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
