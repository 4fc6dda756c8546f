// Teams, and what they have used, as a start finds them.
#include "tests/server/store/contract_fixture.h"

namespace potok::server {
namespace {

using testing::ElementsAre;

class TeamsStoreTest : public StoreContractTest {
 protected:
  template <class T>
  std::vector<T> Loaded() {
    Reopen();
    std::vector<T> found;
    for (const Change& change : Load().changes) {
      if (const auto* one = std::get_if<T>(&change)) found.push_back(*one);
    }
    return found;
  }
  static TeamChanged Team(const std::string& name, double weight) {
    TeamChanged team;
    team.name = name;
    team.weight = weight;
    team.users = {"ann", "b\xff"};
    team.quota.cpu_millis = 0;
    team.at = At(10);
    return team;
  }
  static TeamUsed Used(const std::string& team, const std::string& user, double cpus, int at) {
    return {team, user, {1.5, cpus, 0, At(at)}, {0, cpus / 3, 0.1, At(at)}};
  }
};

TEST_P(TeamsStoreTest, AStartFindsEachTeamAsItWasChangedLast) {
  Turn({Team("vision", 1), Team("speech", 2)});
  Turn({Team("vision", 3)});
  AwaitProjection();
  std::vector<std::pair<std::string, double>> found;
  for (const TeamChanged& team : Loaded<TeamChanged>()) found.emplace_back(team.name, team.weight);
  EXPECT_THAT(found, ElementsAre(testing::Pair("speech", 2), testing::Pair("vision", 3)));
}

TEST_P(TeamsStoreTest, AStartFindsWhatEachUserUsedLastInItsOrderToTheLastBit) {
  Turn({Team("vision", 1)});
  Turn({Used("vision", "ann", 0.1 + 0.2, 20)});
  Turn({Used("vision", "b\xff", 7, 21), Used("vision", "ann", 1.0 / 3, 21)});
  Turn({Used("vision", "b\xff", 8, 22)});
  AwaitProjection();
  const std::vector<TeamUsed> found = Loaded<TeamUsed>();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].user, "ann");
  EXPECT_EQ(found[0].of_team, (PastUse{1.5, 1.0 / 3, 0, At(21)}));
  EXPECT_EQ(found[0].of_user, (PastUse{0, 1.0 / 3 / 3, 0.1, At(21)}));
  EXPECT_EQ(found[1].user, "b\xff");
  EXPECT_EQ(found[1].of_team.cpu_millis, 8);
}

TEST_P(TeamsStoreTest, OfATeamThatWasRemovedNothingIsLeft) {
  Turn({Team("vision", 1), Used("vision", "ann", 1, 20), Team("speech", 2)});
  AwaitProjection();
  TeamChanged removed = Team("vision", 1);
  removed.removed = true;
  // Made anew in the same transaction.
  Turn({removed, Team("vision", 5)});
  TeamChanged other = Team("speech", 2);
  other.removed = true;
  Turn({Used("speech", "ann", 1, 21), other});
  AwaitProjection();
  const std::vector<TeamChanged> teams = Loaded<TeamChanged>();
  ASSERT_EQ(teams.size(), 1U);
  EXPECT_EQ(teams[0].weight, 5);
  EXPECT_TRUE(Loaded<TeamUsed>().empty());
}

INSTANTIATE_TEST_SUITE_P(Stores,
                         TeamsStoreTest,
                         testing::Values(Kind::kFake, Kind::kPostgres),
                         NameOfKind);

}  // namespace
}  // namespace potok::server
