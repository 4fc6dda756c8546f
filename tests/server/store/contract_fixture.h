// The fixture of the contract tests: the same cases over the fake and over PostgreSQL.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/journal/codec.h"
#include "server/store/postgres/postgres_store.h"
#include "tests/server/store/changes.h"
#include "tests/support/fake_store.h"
#include "tests/support/temporary_postgres.h"

namespace potok::server {

enum class Kind { kFake, kPostgres };

inline constexpr char kUs[] = "us";
inline constexpr char kOther[] = "other";

class StoreContractTest : public testing::TestWithParam<Kind> {
 protected:
  StoreContractTest() {
    if (GetParam() == Kind::kPostgres) url_ = TemporaryPostgres::Shared().NewDatabase();
    Reopen();
  }

  // As a new server would; the earlier one's bundle is closed.
  void Reopen() {
    bundle_ = {};
    bundle_ = OpenAnother();
  }

  StoreBundle OpenAnother() {
    if (GetParam() == Kind::kFake) return fake_.Open();
    absl::StatusOr<StoreBundle> opened = OpenPostgres(url_);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }

  void AppendGarbage() {
    if (GetParam() == Kind::kFake) return fake_.AppendGarbage();
    TemporaryPostgres::Shared().Query(
        url_,
        "INSERT INTO journal (revision, writer, batch) "
        "SELECT coalesce(max(revision), 0) + 1, 'other', '\\xff00' FROM journal");
  }

  Store& store() { return *bundle_.store; }
  Projector& projector() { return *bundle_.projector; }
  Reader& reader() { return *bundle_.reader; }

  // Commits and hands to the projector, as a turn does; the next revision.
  void Turn(std::vector<Change> changes, const std::vector<Claim>& claims = {}) {
    Batch batch = {revision_ + 1, kUs, std::move(changes)};
    const absl::Status status = store().Commit(batch, claims);
    ASSERT_TRUE(status.ok()) << status;
    ++revision_;
    projector().Project(std::move(batch));
  }

  // Until readers see all turns.
  void AwaitProjection() {
    const absl::Status status = projector().WaitFor(revision_, absl::Seconds(60), Haste::kNow);
    ASSERT_TRUE(status.ok()) << status;
  }

  Loaded Load() {
    absl::StatusOr<Loaded> loaded = store().Load();
    EXPECT_TRUE(loaded.ok()) << loaded.status();
    return loaded.ok() ? *std::move(loaded) : Loaded{};
  }

  FakeDatabase fake_;
  std::string url_;
  StoreBundle bundle_;
  std::int64_t revision_ = 0;
};

inline std::string NameOfKind(const testing::TestParamInfo<Kind>& info) {
  return info.param == Kind::kFake ? "Fake" : "Postgres";
}

}  // namespace potok::server
