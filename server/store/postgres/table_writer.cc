#include "server/store/postgres/table_writer.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "common/base/overloaded.h"
#include "common/base/status_macros.h"
#include "server/journal/codec.h"
#include "server/store/postgres/growth.h"
#include "server/store/postgres/journal_table.h"
#include "server/store/postgres/results.h"
#include "server/store/postgres/rows.h"
#include "server/store/postgres/run_terms.h"
#include "server/store/postgres/team_tables.h"
#include "server/store/postgres/transaction.h"
#include "server/store/postgres/upserts.h"
#include "spdlog/spdlog.h"

namespace potok::server {

namespace {

// Serialises projectors of two servers, too.
const Statement kLock = {"lock projection",
                         "SELECT projected_revision FROM projection FOR NO KEY UPDATE"};
const Statement kAdvance = {"advance projection",
                            "UPDATE projection SET projected_revision = $1::bigint"};
const Statement kFindRun = {"find run for projection",
                            std::string(kSelectRuns) + " WHERE id = $1::bigint"};
const Statement kFindSteps = {
    "find steps for projection",
    "SELECT index, status, attempt, machine, queued_us, started_us, ended_us, "
    "CASE WHEN status = 14 THEN state END, facts "  // the state of those that leave their machine
    "FROM steps WHERE run = $1::bigint"};

// Rows of the journal that are read at a time.
constexpr int kCatchUpRows = 64;

// Reads what `facts` of a row say of its latest attempt into `step`.
absl::Status ReadFacts(const std::string& facts, StepFacts* step) {
  std::optional<Usage> usage;
  std::optional<MemoryRaise> raise;
  return DecodeAttemptFacts(facts, &usage, &raise, &step->runtime, &step->held);
}

}  // namespace

// What one transaction writes: pointers into the batches and the cache, both of which outlive it.
struct TableWriter::Writes {
  std::vector<StepWrite> steps;  // each step once
  std::vector<AttemptEnded> attempts;
  std::map<MachineId, MachineWrite> machines;
  std::map<std::string, PoolWrite> pools;
  std::vector<const ServerStarted*> servers;
  std::set<RunId> runs;
  std::vector<const RunAdded*> added;
  std::vector<GrowthWrite> growth;
  std::vector<const StepMoved*> offers;
  TeamWrites teams;
};

TableWriter::CachedRun TableWriter::CachedOf(RunFacts facts) {
  std::vector<std::uint32_t> write_of(facts.steps.size());
  return {std::move(facts), std::move(write_of)};
}

absl::Status TableWriter::Connect() {
  if (connection_ != nullptr && !connection_->broken()) return absl::OkStatus();
  POTOK_ASSIGN_OR_RETURN(connection_, PgConnection::Open(url_));
  // Durable, like the journal: readers were told of this revision, and a PostgreSQL that is killed
  // under a server that goes on must not take rows back.
  return absl::OkStatus();
}

void TableWriter::Forget(const absl::Status& why) {
  runs_.clear();
  revision_ = -1;
  if (absl::IsUnavailable(why)) connection_.reset();
}

absl::StatusOr<std::int64_t> TableWriter::Apply(const std::vector<Batch>& batches) {
  POTOK_RETURN_IF_ERROR(Connect());
  std::int64_t projected = 0;
  const absl::Status status = InTransaction(
      *connection_, kReadWrite, [&] { return ApplyInTransaction(batches, &projected); });
  if (!status.ok()) {
    Forget(status);
    return status;
  }
  revision_ = projected;
  std::erase_if(runs_, [](const auto& entry) { return IsTerminal(entry.second.facts.row.status); });
  return projected;
}

absl::StatusOr<std::int64_t> TableWriter::CatchUp() {
  POTOK_ASSIGN_OR_RETURN(std::int64_t projected, Apply({}));
  while (true) {
    absl::StatusOr<std::vector<Batch>> batches = ReadBatches(*connection_, projected, kCatchUpRows);
    if (!batches.ok()) {
      Forget(batches.status());
      return batches.status();
    }
    if (batches->empty()) return projected;
    POTOK_ASSIGN_OR_RETURN(const std::int64_t reached, Apply(*batches));
    if (reached == projected) {
      return absl::DataLossError(
          fmt::format("the journal goes on with revision {} after {}: rows are missing; restore "
                      "the database from a backup",
                      batches->front().revision,
                      projected));
    }
    projected = reached;
  }
}

absl::StatusOr<std::int64_t> TableWriter::Purge() {
  POTOK_RETURN_IF_ERROR(Connect());
  absl::StatusOr<std::int64_t> purged = PurgeJournal(*connection_);
  if (!purged.ok()) Forget(purged.status());
  return purged;
}

absl::Status TableWriter::ApplyInTransaction(const std::vector<Batch>& batches,
                                             std::int64_t* projected) {
  POTOK_ASSIGN_OR_RETURN(const PgResult locked, connection_->Run(kLock));
  *projected = locked.Int(0, 0);
  if (*projected != revision_) runs_.clear();
  Writes writes;
  const std::int64_t before = *projected;
  for (const Batch& batch : batches) {
    if (batch.revision <= *projected) continue;
    if (batch.revision != *projected + 1) break;
    POTOK_RETURN_IF_ERROR(FoldInto(batch, &writes));
    *projected = batch.revision;
  }
  if (*projected == before) return absl::OkStatus();
  POTOK_RETURN_IF_ERROR(Write(&writes));
  return connection_->Run(kAdvance, PgParams().Int64(*projected)).status();
}

absl::Status TableWriter::FoldInto(const Batch& batch, Writes* writes) {
  for (std::size_t position = 0; position < batch.changes.size(); ++position) {
    POTOK_RETURN_IF_ERROR(FoldChange(batch.revision, position, batch.changes[position], writes));
  }
  return absl::OkStatus();
}

absl::Status TableWriter::FoldChange(std::int64_t revision,
                                     std::size_t position,
                                     const Change& change,
                                     Writes* writes) {
  if (const auto* moved = std::get_if<StepMoved>(&change)) {
    return FoldStep(*moved, revision, writes);
  }
  if (const auto* added = std::get_if<RunAdded>(&change)) {
    runs_.insert_or_assign(added->id, CachedOf(FactsOf(*added, revision)));
    writes->runs.insert(added->id);
    writes->added.push_back(added);
  } else if (const auto* run_moved = std::get_if<RunMoved>(&change)) {
    POTOK_ASSIGN_OR_RETURN(CachedRun* const run, Find(run_moved->id));
    if (run == nullptr) return absl::OkStatus();
    Fold(*run_moved, revision, &run->facts);
    writes->runs.insert(run_moved->id);
  } else if (const auto* machine = std::get_if<MachineChanged>(&change)) {
    writes->machines[machine->id] = {machine, revision};
  } else if (const auto* pool = std::get_if<PoolChanged>(&change)) {
    writes->pools[pool->name] = {pool, revision};
  } else if (const auto* started = std::get_if<ServerStarted>(&change)) {
    writes->servers.push_back(started);
  } else {
    return FoldGrowth(revision, position, change, writes);
  }
  return absl::OkStatus();
}

absl::Status TableWriter::FoldGrowth(std::int64_t revision,
                                     std::size_t position,
                                     const Change& change,
                                     Writes* writes) {
  const auto* added = std::get_if<StepsAdded>(&change);
  const auto* measured = std::get_if<TrialMeasured>(&change);
  const auto* ordered = std::get_if<RunOrdered>(&change);
  if (added == nullptr && measured == nullptr && ordered == nullptr) {
    writes->teams.Fold(change, revision);
    return absl::OkStatus();
  }
  const RunId id = added != nullptr      ? added->run
                   : measured != nullptr ? measured->run
                                         : ordered->run;
  POTOK_ASSIGN_OR_RETURN(CachedRun* const run, Find(id));
  if (run == nullptr) return absl::OkStatus();
  if (added != nullptr) {
    if (!Fold(*added, revision, &run->facts)) return absl::OkStatus();
    run->write_of.resize(run->facts.steps.size());
    writes->runs.insert(id);
  }
  if (ordered != nullptr) {
    run->facts.row.revision = revision;
    writes->runs.insert(id);
  }
  writes->growth.push_back({id, revision, static_cast<std::int64_t>(position), change});
  return absl::OkStatus();
}

absl::Status TableWriter::FoldStep(const StepMoved& moved, std::int64_t revision, Writes* writes) {
  POTOK_ASSIGN_OR_RETURN(CachedRun* const run, Find(moved.step.run));
  const std::uint32_t index = moved.step.index;
  const bool is_new =
      run != nullptr && index < run->facts.steps.size() && run->facts.steps[index].state == 0;
  std::optional<AttemptEnded> ended;
  if (run == nullptr || !Fold(moved, revision, &run->facts, &ended)) {
    spdlog::error("journal moves a step that no run has revision={} run={} step={}",
                  revision,
                  moved.step.run,
                  moved.step.index);
    return absl::OkStatus();
  }
  if (moved.offer.has_value()) writes->offers.push_back(&moved);
  if (ended.has_value()) writes->attempts.push_back(*std::move(ended));
  std::uint32_t& write = run->write_of[index];
  if (write == 0) {
    writes->steps.push_back({&moved, run->facts.steps[index], revision, is_new});
    write = static_cast<std::uint32_t>(writes->steps.size());
  } else {
    StepWrite& earlier = writes->steps[write - 1];
    earlier = {&moved, run->facts.steps[index], revision, earlier.is_new};
  }
  writes->runs.insert(moved.step.run);
  return absl::OkStatus();
}

absl::StatusOr<TableWriter::CachedRun*> TableWriter::Find(RunId id) {
  const auto cached = runs_.find(id);
  if (cached != runs_.end()) return &cached->second;
  POTOK_ASSIGN_OR_RETURN(const PgResult found, connection_->Run(kFindRun, PgParams().Int64(id)));
  if (found.rows() == 0) return nullptr;
  RunFacts facts;
  POTOK_ASSIGN_OR_RETURN(facts.row, RunRowFrom(found, 0));
  POTOK_ASSIGN_OR_RETURN(const RunMoved moved, RunMovedFrom(found, 0));
  facts.moved_us = absl::ToUnixMicros(moved.at);
  facts.steps.resize(facts.row.added.steps + facts.row.added_steps);
  POTOK_ASSIGN_OR_RETURN(const PgResult steps, connection_->Run(kFindSteps, PgParams().Int64(id)));
  for (int row = 0; row < steps.rows(); ++row) {
    bool preempted = false;
    if (const std::string leaving = steps.Bytes(row, 7); !leaving.empty()) {
      POTOK_ASSIGN_OR_RETURN(const StepState state, DecodeStepState(leaving));
      preempted = IsPreempted(state);
    }
    StepFacts& step = facts.steps.at(static_cast<std::size_t>(steps.Int(row, 0)));
    step.state = static_cast<int>(steps.Int(row, 1));
    step.attempt = static_cast<std::uint32_t>(steps.Int(row, 2));
    step.machine = static_cast<MachineId>(steps.Int(row, 3));
    step.queued_us = steps.Int(row, 4);
    step.started_us = steps.Int(row, 5);
    step.ended_us = steps.Int(row, 6);
    step.preempted = preempted;
    POTOK_RETURN_IF_ERROR(ReadFacts(steps.Bytes(row, 8), &step));
  }
  return &runs_.emplace(id, CachedOf(std::move(facts))).first->second;
}

absl::Status TableWriter::Write(Writes* writes) {
  for (const StepWrite& step : writes->steps) {
    runs_.at(step.moved->step.run).write_of[step.moved->step.index] = 0;
  }
  // In the order of the key: neighbours lie on the same pages.
  std::vector<StepWrite>& steps = writes->steps;
  const auto before = [](const StepWrite& a, const StepWrite& b) {
    return a.moved->step < b.moved->step;
  };
  if (!std::is_sorted(steps.begin(), steps.end(), before)) {
    std::sort(steps.begin(), steps.end(), before);
  }
  return WriteInOrder(*writes);
}

absl::Status TableWriter::WriteCluster(const Writes& writes) {
  std::vector<MachineWrite> machines;
  for (const auto& [id, machine] : writes.machines) machines.push_back(machine);
  std::vector<PoolWrite> pools;
  for (const auto& [name, pool] : writes.pools) pools.push_back(pool);
  POTOK_RETURN_IF_ERROR(WriteMachines(*connection_, machines));
  POTOK_RETURN_IF_ERROR(WriteTeams(*connection_, writes.teams));
  POTOK_RETURN_IF_ERROR(WritePools(*connection_, pools));
  for (const ServerStarted* started : writes.servers) {
    POTOK_RETURN_IF_ERROR(WriteServer(*connection_, *started));
  }
  return absl::OkStatus();
}

absl::Status TableWriter::WriteInOrder(const Writes& writes) {
  std::vector<const RunFacts*> runs;
  runs.reserve(writes.runs.size());
  std::ranges::transform(
      writes.runs, std::back_inserter(runs), [this](RunId id) { return &runs_.at(id).facts; });
  POTOK_RETURN_IF_ERROR(WriteRuns(*connection_, runs));
  POTOK_RETURN_IF_ERROR(WriteGrowth(*connection_, writes.growth, runs));
  POTOK_RETURN_IF_ERROR(WriteRunTerms(*connection_, writes.added));
  POTOK_RETURN_IF_ERROR(WriteSteps(*connection_, writes.steps));
  POTOK_RETURN_IF_ERROR(WriteAttempts(*connection_, writes.attempts));
  POTOK_RETURN_IF_ERROR(WriteResults(*connection_, writes.offers));
  return WriteCluster(writes);
}

}  // namespace potok::server
