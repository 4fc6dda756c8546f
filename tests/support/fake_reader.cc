// The tables of runs, steps, machines, results and uses of artifacts.
#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "tests/support/fake_content.h"

namespace potok::server {

namespace {

using Content = FakeDatabase::Content;
using Lock = std::unique_lock<std::mutex>;

bool HoldsText(const std::string& within, const std::string& text) {
  return absl::StrContains(absl::AsciiStrToLower(within), absl::AsciiStrToLower(text));
}

bool Passes(const RunRow& row, const RunFilter& filter) {
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

  const std::shared_ptr<Content> content_;
};

}  // namespace

std::unique_ptr<Reader> MakeFakeReader(std::shared_ptr<FakeDatabase::Content> content) {
  return std::make_unique<FakeReader>(std::move(content));
}

}  // namespace potok::server
