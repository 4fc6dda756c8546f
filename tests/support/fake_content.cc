#include "tests/support/fake_content.h"

#include <algorithm>
#include <optional>

#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "server/journal/codec.h"

namespace potok::server {

absl::StatusOr<std::vector<Change>> FakeDatabase::Content::Read(std::int64_t revision) const {
  const Row& row = journal.at(static_cast<std::size_t>(revision - 1));
  absl::StatusOr<std::vector<Change>> changes = Decode(row.batch);
  if (changes.ok()) return changes;
  return absl::DataLossError(fmt::format("cannot read revision {} of the journal: {}",
                                         revision,
                                         std::string(changes.status().message())));
}

absl::Status FakeDatabase::Content::ProjectUntil(std::int64_t revision) {
  for (; projected < std::min(revision, head()); ++projected) {
    POTOK_ASSIGN_OR_RETURN(const std::vector<Change> changes, Read(projected + 1));
    for (const Change& change : changes) Apply(change, projected + 1);
    waiting.erase(projected + 1);
  }
  projected_rose.notify_all();
  return absl::OkStatus();
}

void FakeDatabase::Content::Apply(const Change& change, std::int64_t revision) {
  if (const auto* started = std::get_if<ServerStarted>(&change)) {
    epoch = std::max(epoch, started->epoch);
  } else if (const auto* machine = std::get_if<MachineChanged>(&change)) {
    machines[machine->id] = *machine;
  } else if (const auto* pool = std::get_if<PoolChanged>(&change)) {
    pools.erase(pool->name);
    if (!pool->deleted) pools.emplace(pool->name, *pool);
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
  } else if (const auto* ordered = std::get_if<RunOrdered>(&change)) {
    const auto run = runs.find(ordered->run);
    if (run == runs.end()) return;
    run->second.row.revision = revision;
    growth[ordered->run].push_back(change);
  } else if (const auto* team = std::get_if<TeamChanged>(&change)) {
    if (!team->removed) {
      teams[team->name] = *team;
      return;
    }
    teams.erase(team->name);
    std::erase_if(team_uses, [&](const TeamUsed& one) { return one.team == team->name; });
  } else if (const auto* used = std::get_if<TeamUsed>(&change)) {
    std::erase_if(team_uses, [&](const TeamUsed& one) {
      return one.team == used->team && one.user == used->user;
    });
    team_uses.push_back(*used);
  }
}

FoundResult FakeDatabase::Content::ResultOf(const Fingerprint& fingerprint,
                                            const StepKey& key) const {
  const StepRow row =
      RowOf(steps.at(key).moved, runs.at(key.run).steps.at(key.index), steps.at(key).revision);
  return {fingerprint,
          {{key.run, key.index, row.attempt},
           std::get<Succeeded>(row.state).outputs,
           absl::FromUnixMicros(row.ended_us),
           row.started_us == 0 ? 0 : row.ended_us - row.started_us}};
}

}  // namespace potok::server
