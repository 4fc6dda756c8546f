#include "server/embedded/embedded_postgres.h"

#include <libpq-fe.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/embedded/postgres_watch.h"
#include "tests/support/temporary_postgres.h"

namespace potok::server {
namespace {

namespace fs = std::filesystem;

TEST(EmbeddedPostgresTest, NeverRunsAsRoot) {
  struct stat found = {};
  const std::string process = "/proc/" + std::to_string(TemporaryPostgres::Shared().postmaster());
  ASSERT_EQ(stat(process.c_str(), &found), 0);
  EXPECT_NE(found.st_uid, 0U);
}

TEST(EmbeddedPostgresTest, KeepsItsDataFromOtherUsers) {
  struct stat found = {};
  ASSERT_EQ(stat((TemporaryPostgres::Shared().folder() + "/postgres").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0700U);
}

TEST(EmbeddedPostgresTest, TakesOverARunningPostmaster) {
  TemporaryPostgres& postgres = TemporaryPostgres::Shared();
  const pid_t before = postgres.postmaster();
  postgres.Start();
  EXPECT_EQ(postgres.postmaster(), before);
}

// The server's death must not take the database with it, and the next server goes on with it.
TEST(EmbeddedPostgresTest, SurvivesTheProcessThatStartedIt) {
  TemporaryPostgres& own = TemporaryPostgres::Shared();
  const std::string url = own.NewDatabase();
  own.Query(url, "CREATE TABLE kept (x integer)");
  own.Kill();
  const pid_t child = fork();
  if (child == 0) {
    const auto started = EmbeddedPostgres::Start(own.folder() + "/postgres");
    if (started.ok()) kill(getpid(), SIGKILL);
    _exit(1);
  }
  int result = 0;
  ASSERT_EQ(waitpid(child, &result, 0), child);
  ASSERT_TRUE(WIFSIGNALED(result));
  const pid_t left_running = own.postmaster();
  own.Start();
  EXPECT_EQ(own.postmaster(), left_running);
  EXPECT_EQ(own.Query(url, "SELECT count(*) FROM kept"), "0");
}

TEST(EmbeddedPostgresTest, ComesBackWithItsDataAfterThePostmasterIsKilled) {
  TemporaryPostgres& own = TemporaryPostgres::Shared();
  const std::string url = own.NewDatabase();
  own.Query(url, "CREATE TABLE kept AS SELECT 42 AS x");
  own.Kill();
  own.Start();
  EXPECT_EQ(own.Query(url, "SELECT x FROM kept"), "42");
}

// A postmaster that was killed under a running server was never started again: every commit was
// retried for ever.
TEST(EmbeddedPostgresTest, IsStartedAgainUnderAServerThatWatchesIt) {
  TemporaryPostgres& own = TemporaryPostgres::Shared();
  const auto postgres = EmbeddedPostgres::Start(own.folder() + "/postgres");
  ASSERT_TRUE(postgres.ok()) << postgres.status();
  {
    const PostgresWatch watch(**postgres, absl::Milliseconds(20));
    own.Kill();
    const absl::Time deadline = absl::Now() + absl::Minutes(2);
    while (PQping((*postgres)->url().c_str()) != PQPING_OK) {
      ASSERT_LT(absl::Now(), deadline) << "PostgreSQL was not started again";
      absl::SleepFor(absl::Milliseconds(10));
    }
  }
  EXPECT_TRUE((*postgres)->EnsureRunning().ok());
}

TEST(EmbeddedPostgresTest, IsDurableEvenInAFolderWhosePathIsTooLongForASocket) {
  TemporaryPostgres& shared = TemporaryPostgres::Shared();
  const std::string folder = shared.folder() + "/" + std::string(120, 'd') + "/postgres";
  fs::create_directories(fs::path(folder).parent_path());
  auto postgres = EmbeddedPostgres::Start(folder);
  ASSERT_TRUE(postgres.ok()) << postgres.status();
  const std::string& url = (*postgres)->url();
  EXPECT_EQ(shared.Query(url, "SELECT current_user"), "potok");
  EXPECT_EQ(shared.Query(url, "SHOW fsync"), "on");
  EXPECT_EQ(shared.Query(url, "SHOW synchronous_commit"), "on");
  EXPECT_EQ(shared.Query(url, "SHOW listen_addresses"), "");
  EXPECT_EQ(shared.Query(url, "SHOW server_encoding"), "UTF8");
  EXPECT_TRUE((*postgres)->Stop().ok());
  EXPECT_EQ(PQping(url.c_str()), PQPING_NO_RESPONSE);
}

TEST(EmbeddedPostgresTest, SaysWhichFolderPostgresCannotEnter) {
  if (geteuid() != 0) GTEST_SKIP() << "only root runs PostgreSQL as somebody else";
  const std::string closed = TemporaryPostgres::Shared().folder() + "/closed";
  fs::create_directory(closed);
  ASSERT_EQ(chmod(closed.c_str(), 0700), 0);
  const auto postgres = EmbeddedPostgres::Start(closed + "/postgres");
  ASSERT_FALSE(postgres.ok());
  EXPECT_THAT(std::string(postgres.status().message()),
              testing::HasSubstr("cannot enter " + closed));
}

TEST(EmbeddedPostgresTest, FailsWithTheEndOfTheLogWhenASettingIsWrong) {
  TemporaryPostgres& own = TemporaryPostgres::Shared();
  const std::string own_settings = own.folder() + "/postgres/data/own.conf";
  std::ofstream(own_settings) << "no_such_setting = 1\n";
  own.Kill();
  const auto postgres = EmbeddedPostgres::Start(own.folder() + "/postgres");
  ASSERT_FALSE(postgres.ok());
  EXPECT_THAT(std::string(postgres.status().message()), testing::HasSubstr("no_such_setting"));
  fs::remove(own_settings);
  own.Start();
}

}  // namespace
}  // namespace potok::server
