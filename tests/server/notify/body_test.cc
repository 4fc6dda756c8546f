#include "server/notify/body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace potok::server {
namespace {

using Json = nlohmann::json;

TEST(BodyTest, TellsAllOfAFailure) {
  Ending ending;
  ending.run = "calm_sea";
  ending.display_name = "wide net";
  ending.experiment = "digits";
  ending.status = "Failed";
  ending.reason = "step train failed";
  ending.submitter = "ada";
  ending.created_us = 1'000'000;
  ending.started_us = 1'500'000;
  ending.ended_us = 61'000'000;
  ending.steps_total = 5;
  ending.steps_completed = 3;
  ending.steps_failed = 1;
  ending.steps_canceled = 1;
  ending.failed_steps = {{"train", "exit code 3"}};
  const Json body = Json::parse(BodyOf(ending, "d1"));
  EXPECT_EQ(body, Json::parse(R"({
    "event": "run.ended", "delivery": "d1",
    "text": "Potok: run calm_sea Failed: step train failed",
    "run": "calm_sea", "display_name": "wide net", "experiment": "digits",
    "status": "Failed", "reason": "step train failed", "submitter": "ada",
    "created_at": "1970-01-01T00:00:01Z", "started_at": "1970-01-01T00:00:01.5Z",
    "ended_at": "1970-01-01T00:01:01Z",
    "steps": {"total": 5, "completed": 3, "failed": 1, "canceled": 1},
    "failed_steps": [{"step": "train", "reason": "exit code 3"}]})"));
}

TEST(BodyTest, LeavesNothingOutThatIsNotKnown) {
  Ending ending;
  ending.run = "r";
  ending.status = "Canceled";
  const Json body = Json::parse(BodyOf(ending, "d"));
  EXPECT_TRUE(body.at("started_at").is_null());
  EXPECT_TRUE(body.at("reason").is_null());
  EXPECT_TRUE(body.at("failed_steps").empty());
  EXPECT_EQ(body.at("text"), "Potok: run r Canceled");
}

TEST(BodyTest, ReplacesWhatIsNoText) {
  Ending ending;
  ending.reason = "broken \xff \"quoted\"\n";
  EXPECT_EQ(Json::parse(BodyOf(ending, "d")).at("reason"), "broken \xef\xbf\xbd \"quoted\"\n");
}

// RFC 4231, 4.3.
TEST(BodyTest, SignsAsTheStandardSays) {
  EXPECT_EQ(SignatureOf("what do ya want for nothing?", "Jefe"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

}  // namespace
}  // namespace potok::server
