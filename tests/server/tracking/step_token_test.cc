#include "server/tracking/step_token.h"

#include <regex>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace potok::server {
namespace {

StepClaim AClaim() {
  return {{12, 3, 1}, "calm_lake", "train", "calm_lake_train", "prices\nof houses"};
}

TEST(StepTokenTest, SaysWhatItWasMadeOf) {
  const StepTokens tokens("secret");
  const auto claim = tokens.Read(tokens.TokenOf(AClaim()));
  ASSERT_TRUE(claim.has_value());
  EXPECT_EQ(claim->attempt, (AttemptKey{12, 3, 1}));
  EXPECT_EQ(claim->run, "calm_lake");
  EXPECT_EQ(claim->step, "train");
  EXPECT_EQ(claim->mlflow_id, "calm_lake_train");
  EXPECT_EQ(claim->experiment, "prices\nof houses");
}

TEST(StepTokenTest, RefusesWhatAnotherSecretSigned) {
  EXPECT_FALSE(StepTokens("ours").Read(StepTokens("theirs").TokenOf(AClaim())).has_value());
}

TEST(StepTokenTest, RefusesATokenThatIsChangedAnywhere) {
  const StepTokens tokens("secret");
  const std::string token = tokens.TokenOf(AClaim());
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(tokens.Read(changed).has_value()) << i;
    EXPECT_FALSE(tokens.Read(token.substr(0, i)).has_value()) << i;
  }
  EXPECT_FALSE(tokens.Read("").has_value());
  EXPECT_FALSE(tokens.Read(".").has_value());
}

TEST(StepTokenTest, KeepsJobNamesThatMlflowTakesForRunIds) {
  EXPECT_EQ(MlflowIdOf("calm_lake_train", {1, 2, 3}), "calm_lake_train");
}

TEST(StepTokenTest, GivesEveryOtherJobNameAnIdThatMlflowTakes) {
  const std::regex good("[a-zA-Z0-9][a-zA-Z0-9_\\-]{0,255}");
  for (const std::string name :
       {"lake_fold[3]/fit", "", "[", "-x", "\xc5\xbc\xc3\xb3\xc5\x82w", "a b"}) {
    EXPECT_TRUE(std::regex_match(MlflowIdOf(name, {7, 8, 1}), good)) << name;
  }
  EXPECT_TRUE(std::regex_match(MlflowIdOf(std::string(300, 'x'), {7, 8, 1}), good));
  EXPECT_EQ(MlflowIdOf("lake_fold[3]/fit", {7, 8, 1}), "lake_fold-3--fit-7-8");
}

TEST(StepTokenTest, GivesTheStepsOfALoopDifferentIdsAndAttemptsOfOneTheSame) {
  EXPECT_NE(MlflowIdOf("r_a[1]", {7, 8, 1}), MlflowIdOf("r_a(1)", {7, 9, 1}));
  EXPECT_EQ(MlflowIdOf("r_a[1]", {7, 8, 1}), MlflowIdOf("r_a[1]", {7, 8, 2}));
}

}  // namespace
}  // namespace potok::server
