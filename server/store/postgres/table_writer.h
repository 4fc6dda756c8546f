// Makes the tables of the journal. One thread at a time; every call blocks.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/store/postgres/pg_connection.h"
#include "server/store/projection.h"

namespace potok::server {

class TableWriter {
 public:
  explicit TableWriter(std::string url) : url_(std::move(url)) {}

  // Applies those of `batches` (in order) that follow what the tables show, in one transaction with
  // the new projected revision, and returns that; nothing is applied if the first is not the next
  // one. Two servers may do this at the same time: each goes on where the tables are. After an
  // error nothing was applied that the next call does not find.
  absl::StatusOr<std::int64_t> Apply(const std::vector<Batch>& batches);

  // Applies all of the journal that the tables do not show, and returns the projected revision.
  absl::StatusOr<std::int64_t> CatchUp();

  // PurgeJournal on our connection.
  absl::StatusOr<std::int64_t> Purge();

 private:
  struct Writes;
  // A run as the tables and what was folded since know it.
  struct CachedRun {
    RunFacts facts;
    // Of each step: where it is in the steps of the transaction in hand, from 1; 0: it is not.
    std::vector<std::uint32_t> write_of;
  };

  static CachedRun CachedOf(RunFacts facts);
  absl::Status Connect();
  // Runs `body` in a transaction that holds the projection's row; `projected` is read and written.
  absl::Status ApplyInTransaction(const std::vector<Batch>& batches, std::int64_t* projected);
  absl::Status FoldInto(const Batch& batch, Writes* writes);
  absl::Status FoldChange(std::int64_t revision,
                          std::size_t position,
                          const Change& change,
                          Writes* writes);
  absl::Status FoldGrowth(std::int64_t revision,
                          std::size_t position,
                          const Change& change,
                          Writes* writes);
  absl::Status FoldStep(const StepMoved& moved, std::int64_t revision, Writes* writes);
  // Null if there is no such run.
  absl::StatusOr<CachedRun*> Find(RunId id);
  absl::Status Write(Writes* writes);
  absl::Status WriteCluster(const Writes& writes);
  // The steps are sorted.
  absl::Status WriteInOrder(const Writes& writes);
  // What is cached may be ahead of the tables.
  void Forget(const absl::Status& why);

  const std::string url_;
  std::unique_ptr<PgConnection> connection_;
  std::int64_t revision_ = -1;                 // that the cache shows
  std::unordered_map<RunId, CachedRun> runs_;  // a cache of runs that have not ended
};

}  // namespace potok::server
