// A database in memory, with the semantics of the store on PostgreSQL (store_contract_test.cc runs
// the same cases over both) and failures on demand.
#pragma once

#include <memory>

#include "server/store/store.h"

namespace potok::server {

// What outlives a server. Thread-safe; must outlive the bundles that it opened.
class FakeDatabase {
 public:
  FakeDatabase();
  ~FakeDatabase();
  FakeDatabase(const FakeDatabase&) = delete;
  FakeDatabase& operator=(const FakeDatabase&) = delete;

  // As a new server connects. A turn that an earlier one left open is rolled back.
  StoreBundle Open();

  // The next `times` commits fail with UNAVAILABLE and store nothing.
  void FailCommitsBeforeStoring(int times);
  // The next commit stores its batch, and fails with UNAVAILABLE nevertheless: outcome unknown.
  void FailNextCommitAfterStoring();
  // The next commit fails with ABORTED and stores nothing.
  void AbortNextCommit();
  // While true every call of Store and Reader fails with UNAVAILABLE.
  void SetUnreachable(bool unreachable);
  // While true the projector only collects.
  void HoldProjector(bool hold);

  // Appends a row as another server would: the next commit of ours steps down.
  void AppendAsOther(const std::vector<Change>& changes);
  // Appends a row that no version can read.
  void AppendGarbage();

  std::int64_t head() const;
  // The changes at a revision from 1 to head(), as they decode.
  std::vector<Change> ChangesAt(std::int64_t revision) const;

  struct Content;

 private:
  const std::shared_ptr<Content> content_;
};

}  // namespace potok::server
