// A server opens what an older one left: its tables as they are, and the tables made anew of its
// journal. The databases are in history/, one for each schema version that was ever used.
#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "common/rpc/pipeline_convert.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/domain/plan.h"
#include "server/domain/state.h"
#include "server/store/postgres/postgres_store.h"
#include "tests/support/temporary_postgres.h"

namespace potok::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

class UpgradeTest : public testing::Test {
 protected:
  UpgradeTest() {
    std::ifstream file(POTOK_HISTORY "/schema_1.sql");
    std::stringstream sql;
    sql << file.rdbuf();
    Query(sql.str());
  }

  std::string Query(const std::string& sql) { return postgres_.Query(url_, sql); }

  // The journal is all that is left.
  void ForgetTables() {
    Query(
        "TRUNCATE runs, steps, attempts, machines, servers;"
        "UPDATE projection SET projected_revision = 0");
  }

  StoreBundle Open() {
    absl::StatusOr<StoreBundle> opened = OpenPostgres(url_);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }

  static std::map<std::string, RunStatus> Runs(Reader& reader) {
    std::map<std::string, RunStatus> runs;
    const auto rows = reader.ListRuns({});
    EXPECT_TRUE(rows.ok()) << rows.status();
    for (const RunRow& row : *rows) runs[row.added.name] = row.status;
    return runs;
  }

  // As the scheduler has it after a start.
  static State StateOf(StoreBundle& bundle) {
    auto loaded = bundle.store->Load();
    EXPECT_TRUE(loaded.ok()) << loaded.status();
    State state;
    state.next_run = loaded->next_run;
    state.next_machine = loaded->next_machine;
    for (Change& change : loaded->changes) {
      if (auto* run = std::get_if<RunAdded>(&change)) {
        v1::PipelineSpec spec;
        EXPECT_TRUE(spec.ParseFromString(bundle.reader->GetSpec(run->spec).value()));
        run->plan = BuildPlan(FromProto(spec).value()).value();
      }
      Apply(state, change);
    }
    return state;
  }

  static void ExpectWhatWasLeft(StoreBundle& bundle) {
    const State state = StateOf(bundle);
    EXPECT_THAT(CheckInvariants(state), IsEmpty());
    EXPECT_THAT(state.runs, testing::SizeIs(3));
    EXPECT_THAT(state.queued, testing::SizeIs(1));
    EXPECT_EQ(state.machines.begin()->second.holding.size(), 2U);
    EXPECT_THAT(Runs(*bundle.reader),
                UnorderedElementsAre(Pair("completed_run", RunStatus::kCompleted),
                                     Pair("failed_run", RunStatus::kFailed),
                                     Pair("canceled_run", RunStatus::kCanceled),
                                     Pair("running_run", RunStatus::kRunning),
                                     Pair("fresh_run", RunStatus::kRunning),
                                     Pair("waiting_run", RunStatus::kNotStarted)));
    const RunRow failed = bundle.reader->GetRun("failed_run").value();
    EXPECT_EQ(failed.completed, 1);
    EXPECT_EQ(failed.failed, 1);
    const auto steps = bundle.reader->GetSteps(failed.added.id, 0).value();
    ASSERT_EQ(steps.size(), 2U);
    EXPECT_TRUE(std::holds_alternative<Succeeded>(steps[0].state));
    const auto* failure = std::get_if<Failed>(&steps[1].state);
    ASSERT_NE(failure, nullptr);
    EXPECT_EQ(failure->failure.code, 3);
  }

  TemporaryPostgres& postgres_ = TemporaryPostgres::Shared();
  const std::string url_ = postgres_.NewDatabase();
};

TEST_F(UpgradeTest, TheTablesOfAnOlderServerAreRead) {
  StoreBundle bundle = Open();
  ExpectWhatWasLeft(bundle);
}

TEST_F(UpgradeTest, TheJournalOfAnOlderServerIsReplayed) {
  ForgetTables();
  StoreBundle bundle = Open();
  ExpectWhatWasLeft(bundle);
}

TEST_F(UpgradeTest, RunsThatWereAddedBeforeTheTableOfTermsAreFoundByThem) {
  StoreBundle bundle = Open();
  RunFilter filter;
  filter.submitter = "root";
  filter.tags = {{"team", "data"}};
  EXPECT_THAT(bundle.reader->ListRuns(filter).value(), testing::SizeIs(6));
  filter.tags = {{"team", "vision"}};
  EXPECT_THAT(bundle.reader->ListRuns(filter).value(), IsEmpty());
}

TEST_F(UpgradeTest, AStartIsStoredBehindWhatWasLeft) {
  const std::string before = Query("SELECT max(revision) FROM journal");
  StoreBundle bundle = Open();
  const auto loaded = bundle.store->Load();
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(std::to_string(loaded->revision), before);
  const ServerStarted started{loaded->epoch + 1, "us", absl::FromUnixSeconds(1)};
  EXPECT_TRUE(bundle.store->Commit({loaded->revision + 1, "us", {started}}, {}).ok());
}

}  // namespace
}  // namespace potok::server
