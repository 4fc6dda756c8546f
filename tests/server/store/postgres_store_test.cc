// What only the store on PostgreSQL can get wrong: lost connections, crashes, the schema.
#include "server/store/postgres/postgres_store.h"

#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/store/changes.h"
#include "tests/support/temporary_postgres.h"

namespace potok::server {
namespace {

using testing::ElementsAre;
using testing::Eq;
using testing::HasSubstr;
using testing::Optional;

// Ends all sessions but its own, as an operator or a crash of a backend does.
constexpr char kTerminate[] =
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()";

class PostgresStoreTest : public testing::Test {
 protected:
  PostgresStoreTest() : url_(postgres_.NewDatabase()) { Reopen(); }

  void Reopen() {
    bundle_ = {};
    absl::StatusOr<StoreBundle> opened = OpenPostgres(url_);
    EXPECT_TRUE(opened.ok()) << opened.status();
    bundle_ = *std::move(opened);
  }
  std::string Query(const std::string& sql) { return postgres_.Query(url_, sql); }

  // As the scheduler does: again until it is known.
  absl::Status CommitUntilKnown(const Batch& batch, const std::vector<Claim>& claims) {
    while (true) {
      const absl::Status status = bundle_.store->Commit(batch, claims);
      if (!absl::IsUnavailable(status)) return status;
      std::this_thread::yield();
    }
  }

  TemporaryPostgres& postgres_ = TemporaryPostgres::Shared();
  const std::string url_;
  StoreBundle bundle_;
};

TEST_F(PostgresStoreTest, CommitsAgainAfterItsBackendWasEnded) {
  ASSERT_TRUE(bundle_.store->Commit({1, "us", {ARun(1)}}, {}).ok());
  Query(kTerminate);
  EXPECT_TRUE(absl::IsUnavailable(bundle_.store->Commit({2, "us", {ARun(2)}}, {})));
  EXPECT_TRUE(bundle_.store->Commit({2, "us", {ARun(2)}}, {}).ok());
  EXPECT_EQ(Query("SELECT count(*) FROM journal"), "2");
}

// The transaction of the claims is gone with its backend: a commit that went on in a new session
// would store the batch without them.
TEST_F(PostgresStoreTest, KeepsClaimsWhoseBackendWasEndedBeforeTheCommit) {
  const std::vector<Claim> claims = {{"run", "a", "us"}};
  ASSERT_TRUE(bundle_.store->ClaimInTurn(claims).ok());
  Query(kTerminate);
  ASSERT_TRUE(CommitUntilKnown({1, "us", {}}, claims).ok());
  EXPECT_EQ(Query("SELECT count(*) FROM journal"), "1");
  EXPECT_THAT(*bundle_.store->ClaimInTurn(claims), ElementsAre(Optional(Eq("us"))));
}

TEST_F(PostgresStoreTest, FindsItsOwnRowWhenItCommitsAgainOnANewConnection) {
  const Batch batch = {1, "us", {ARun(1)}};
  ASSERT_TRUE(bundle_.store->Commit(batch, {}).ok());
  Query(kTerminate);
  EXPECT_TRUE(CommitUntilKnown(batch, {}).ok());
  Query(kTerminate);
  EXPECT_TRUE(CommitUntilKnown(batch, {{"run", "a", "us"}}).ok());
  EXPECT_EQ(Query("SELECT count(*) FROM journal"), "1");
}

TEST_F(PostgresStoreTest, LosesNothingWhenBackendsAreEndedAllTheTime) {
  std::atomic<bool> done = false;
  std::thread killer([&] {
    while (!done) Query(kTerminate);
  });
  for (std::int64_t revision = 1; revision <= 60; ++revision) {
    const std::vector<Claim> claims = {{"run", std::to_string(revision), "us"}};
    Batch batch = {revision, "us", {ARun(revision), Move(revision, 0, 1, Running{On(1)}, 1)}};
    EXPECT_TRUE(CommitUntilKnown(batch, claims).ok());
    bundle_.projector->Project(std::move(batch));
  }
  done = true;
  killer.join();
  ASSERT_TRUE(bundle_.projector->WaitFor(60, absl::Seconds(60), Haste::kNow).ok());
  EXPECT_EQ(Query("SELECT count(*) FROM journal"), "60");
  EXPECT_EQ(Query("SELECT count(*) FROM claims"), "60");
  EXPECT_EQ(Query("SELECT count(*) || ' ' || sum(running) FROM runs"), "60 60");
}

TEST_F(PostgresStoreTest, KeepsWhatWasCommittedWhenThePostmasterIsKilled) {
  ASSERT_TRUE(bundle_.store->Commit({1, "us", {ARun(1)}}, {}).ok());
  ASSERT_TRUE(bundle_.store->Commit({2, "us", {Move(1, 0, 1, Running{On(1)}, 1)}}, {}).ok());
  postgres_.Kill();
  postgres_.Start();
  EXPECT_TRUE(CommitUntilKnown({3, "us", {}}, {}).ok());
  absl::StatusOr<Loaded> loaded = bundle_.store->Load();
  if (absl::IsUnavailable(loaded.status())) loaded = bundle_.store->Load();
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->revision, 3);
  EXPECT_EQ(loaded->changes.size(), 2U);
}

TEST_F(PostgresStoreTest, ReadsOnThroughALostConnection) {
  ASSERT_TRUE(bundle_.reader->PutSpec(DigestOf("a"), "a").ok());
  Query(kTerminate);
  EXPECT_EQ(*bundle_.reader->GetSpec(DigestOf("a")), "a");
}

TEST_F(PostgresStoreTest, AbortsWhereTheDatabaseRefusesAndGoesOnAfterwards) {
  Query("ALTER TABLE journal ADD CONSTRAINT refuse CHECK (revision <> 1)");
  EXPECT_EQ(bundle_.store->Commit({1, "us", {}}, {}).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(bundle_.store->Commit({1, "us", {}}, {{"run", "a", "us"}}).code(),
            absl::StatusCode::kAborted);
  Query("ALTER TABLE journal DROP CONSTRAINT refuse");
  EXPECT_TRUE(bundle_.store->Commit({1, "us", {}}, {{"run", "a", "us"}}).ok());
}

TEST_F(PostgresStoreTest, TriesToProjectUntilItWorks) {
  Query("ALTER TABLE runs ADD CONSTRAINT refuse CHECK (id <> 1)");
  const Batch batch = {1, "us", {ARun(1), Move(1, 0, 1, Running{On(1)}, 1)}};
  ASSERT_TRUE(bundle_.store->Commit(batch, {}).ok());
  bundle_.projector->Project(batch);
  EXPECT_FALSE(bundle_.projector->WaitFor(1, absl::Milliseconds(100), Haste::kNow).ok());
  EXPECT_GT(bundle_.projector->backlog_bytes(), 0);
  Query("ALTER TABLE runs DROP CONSTRAINT refuse");
  ASSERT_TRUE(bundle_.projector->WaitFor(1, absl::Seconds(60), Haste::kNow).ok());
  EXPECT_EQ(Query("SELECT running FROM runs"), "1");
}

TEST_F(PostgresStoreTest, ProjectsForTwoServersAtOnceWithoutCountingTwice) {
  absl::StatusOr<StoreBundle> other = OpenPostgres(url_);
  ASSERT_TRUE(other.ok()) << other.status();
  const Batch first = {1, "us", {ARun(1, 100)}};
  ASSERT_TRUE(bundle_.store->Commit(first, {}).ok());
  bundle_.projector->Project(first);
  other->projector->Project(first);
  for (std::int64_t revision = 2; revision <= 101; ++revision) {
    const auto index = static_cast<std::uint32_t>(revision - 2);
    const Batch batch = {revision, "us", {Move(1, index, 1, Running{On(1)}, revision)}};
    ASSERT_TRUE(bundle_.store->Commit(batch, {}).ok());
    bundle_.projector->Project(batch);
    other->projector->Project(batch);
  }
  ASSERT_TRUE(bundle_.projector->WaitFor(101, absl::Seconds(60), Haste::kNow).ok());
  ASSERT_TRUE(other->projector->WaitFor(101, absl::Seconds(60), Haste::kNow).ok());
  EXPECT_EQ(Query("SELECT running FROM runs"), "100");
}

TEST_F(PostgresStoreTest, KeepsTheAttemptsBeforeTheLast) {
  const Batch batch = {1,
                       "us",
                       {ARun(1),
                        Move(1, 0, 1, Running{On(3)}, 10),
                        Move(1, 0, 1, Queued{}, 20),
                        Move(1, 0, 2, Running{On(4)}, 30),
                        Move(1, 0, 2, Failed{4, {FailureCause::kExitCode, 2, "no"}}, 40)}};
  ASSERT_TRUE(bundle_.store->Commit(batch, {}).ok());
  ASSERT_TRUE(bundle_.store->Load().ok());
  EXPECT_EQ(Query("SELECT string_agg(concat_ws(',', attempt, machine, started_us, ended_us, cause, "
                  "code), ' ' ORDER BY attempt) FROM attempts"),
            "1,3,10,20,machine_lost,0");
}

TEST_F(PostgresStoreTest, DeletesOldProjectedRowsOfTheJournalButNeverTheHead) {
  for (std::int64_t revision = 1; revision <= 3; ++revision) {
    ASSERT_TRUE(bundle_.store->Commit({revision, "us", {}}, {}).ok());
  }
  ASSERT_TRUE(bundle_.store->Load().ok());
  Query("UPDATE journal SET at = now() - interval '25 hours' WHERE revision <> 2");
  // A starting projector purges first of all.
  Reopen();
  while (Query("SELECT string_agg(revision::text, ' ' ORDER BY revision) FROM journal") != "2 3") {
    std::this_thread::yield();
  }
  // One that slept through all this must not take a revision that was purged.
  EXPECT_EQ(bundle_.store->Commit({1, "us", {}}, {}).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(bundle_.store->Commit({4, "us", {}}, {}).ok());
}

TEST_F(PostgresStoreTest, RefusesASchemaThatIsNewerThanItsOwn) {
  Query("INSERT INTO schema_version (version) VALUES (1000)");
  const absl::Status status = OpenPostgres(url_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("schema version 1000"));
}

TEST_F(PostgresStoreTest, MigratesOnceWhenTwoServersStartTogether) {
  const std::string url = postgres_.NewDatabase();
  std::thread other([&] { EXPECT_TRUE(OpenPostgres(url).ok()); });
  EXPECT_TRUE(OpenPostgres(url).ok());
  other.join();
}

TEST_F(PostgresStoreTest, CommentsEveryTable) {
  EXPECT_EQ(Query("SELECT string_agg(relname, ' ') FROM pg_class "
                  "WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace "
                  "AND obj_description(oid, 'pg_class') IS NULL"),
            "");
}

TEST(OpenPostgresTest, SaysWhyItCannotConnect) {
  const absl::Status status = OpenPostgres("host=/nonexistent dbname=x").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("/nonexistent"));
}

TEST_F(PostgresStoreTest, KeepsNamesThatAreNotText) {
  RunAdded run = ARun(1);
  run.name = std::string("a\0b\xff", 4) + std::string(4000, 'x');
  run.experiment_name = "\xed\xa0\x80";
  ASSERT_TRUE(bundle_.store->Commit({1, "us", {run}}, {}).ok());
  ASSERT_TRUE(bundle_.store->Load().ok());
  EXPECT_EQ(bundle_.reader->GetRun(run.name)->added.name, run.name);
}

}  // namespace
}  // namespace potok::server
