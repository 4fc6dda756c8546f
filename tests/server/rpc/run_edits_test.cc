#include "server/rpc/run_edits.h"

#include "gmock/gmock.h"

namespace potok::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

RunRow ARow() {
  RunRow row;
  row.added.name = "brave_river";
  row.added.display_name = "before";
  row.added.description = "kept";
  row.added.tags = {{"team", "vision"}, {"old", "1"}};
  return row;
}

TEST(ApplyUpdateTest, ChangesWhatIsNamedAndNothingElse) {
  RunRow row = ARow();
  v1::UpdateRunRequest request;
  request.set_display_name("after");
  request.set_experiment_name("");
  (*request.mutable_set_tags())["team"] = "speech";
  request.add_remove_tags("old");
  (*request.mutable_set_properties())["k"] = "v";
  ASSERT_TRUE(ApplyUpdate(request, row).ok());
  EXPECT_EQ(row.added.display_name, "after");
  EXPECT_EQ(row.added.experiment_name, "");
  EXPECT_EQ(row.added.description, "kept");
  EXPECT_THAT(row.added.tags, ElementsAre(Pair("team", "speech")));
  EXPECT_THAT(row.added.properties, ElementsAre(Pair("k", "v")));
}

TEST(ApplyUpdateTest, RefusesWhatCannotBe) {
  RunRow row = ARow();
  v1::UpdateRunRequest absent;
  absent.add_remove_tags("nobody");
  EXPECT_EQ(ApplyUpdate(absent, row).code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(ApplyUpdate(absent, row).message()), HasSubstr("it has old, team"));
  v1::UpdateRunRequest both;
  (*both.mutable_set_tags())["team"] = "x";
  both.add_remove_tags("team");
  EXPECT_EQ(ApplyUpdate(both, row).code(), absl::StatusCode::kInvalidArgument);
  v1::UpdateRunRequest nameless;
  (*nameless.mutable_set_properties())[""] = "x";
  EXPECT_EQ(ApplyUpdate(nameless, row).code(), absl::StatusCode::kInvalidArgument);
  v1::UpdateRunRequest many;
  for (int i = 0; i < 1001; ++i) (*many.mutable_set_tags())[std::to_string(i)] = "x";
  EXPECT_EQ(ApplyUpdate(many, row).code(), absl::StatusCode::kInvalidArgument);
}

TEST(ApplyUpdateTest, RefusesWhatSaysWhereARunComesFrom) {
  RunRow row = ARow();
  row.added.properties = {{"potok.rerun_of", "calm_sea"}};
  v1::UpdateRunRequest forged;
  (*forged.mutable_set_properties())["potok.cloned_from"] = "x";
  EXPECT_EQ(ApplyUpdate(forged, row).code(), absl::StatusCode::kInvalidArgument);
  v1::UpdateRunRequest removed;
  removed.add_remove_properties("potok.rerun_of");
  EXPECT_EQ(ApplyUpdate(removed, row).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(row.added.properties, ElementsAre(Pair("potok.rerun_of", "calm_sea")));
}

TEST(SetArchivedTest, ArchivesOnlyWhatHasEnded) {
  RunRow row = ARow();
  row.status = RunStatus::kRunning;
  const absl::Status refused = SetArchived(true, row);
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("potok job wait -n brave_river"));
  EXPECT_TRUE(SetArchived(false, row).ok());
  row.status = RunStatus::kFailed;
  EXPECT_TRUE(SetArchived(true, row).ok());
  EXPECT_TRUE(row.archived);
}

}  // namespace
}  // namespace potok::server
