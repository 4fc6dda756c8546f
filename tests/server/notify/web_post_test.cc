#include "server/notify/web_post.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "fmt/format.h"
#include "tests/server/artifacts/web_source.h"

namespace potok::server {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

using Kind = Outcome::Kind;

class WebPostTest : public testing::Test {
 protected:
  WebPostTest() { options_.local_sources = true; }

  Outcome PostTo(const std::string& url) {
    return Post({url, R"({"run":"r"})", {"Potok-Delivery: d1"}}, options_, timeout_, [this] {
      return is_wanted_.load();
    });
  }
  Outcome Answered(const std::string& status, const std::string& lines = "") {
    const WebSource source([&](const std::string&) { return Reply(status, lines, "no"); });
    const Outcome outcome = PostTo(source.Url("/hook?key=hidden"));
    EXPECT_EQ(source.requests().size(), 1U);
    EXPECT_THAT(outcome.error, Not(HasSubstr("hidden")));
    return outcome;
  }

  WebOptions options_;
  absl::Duration timeout_ = absl::Seconds(60);
  std::atomic<bool> is_wanted_ = true;
};

TEST_F(WebPostTest, SendsTheBodyWithItsHeaders) {
  const WebSource source([](const std::string&) { return Reply("204 No Content", "", ""); });
  EXPECT_EQ(PostTo(source.Url("/hook?key=1")).kind, Kind::kDelivered);
  EXPECT_THAT(source.requests().at(0),
              AllOf(StartsWith("POST /hook?key=1 HTTP/1.1\r\n"),
                    HasSubstr("\r\nContent-Type: application/json\r\n"),
                    HasSubstr("\r\nPotok-Delivery: d1\r\n"),
                    EndsWith("\r\n\r\n{\"run\":\"r\"}")));
}

TEST_F(WebPostTest, IsTriedAgainAfterAnswersThatMayChange) {
  for (const char* status : {"500 X", "503 X", "408 X", "425 X", "429 X"}) {
    EXPECT_EQ(Answered(status).kind, Kind::kFailed) << status;
  }
  EXPECT_EQ(Answered("503 X").error, "it answered 503");
}

TEST_F(WebPostTest, IsRefusedByAnswersThatWillNotChange) {
  for (const char* status : {"400 X", "401 X", "404 X", "410 X"}) {
    EXPECT_EQ(Answered(status).kind, Kind::kRefused) << status;
  }
}

TEST_F(WebPostTest, FollowsNoRedirect) {
  const WebSource elsewhere([](const std::string&) { return Reply("200 OK", "", ""); });
  const Outcome outcome =
      Answered("302 Found", fmt::format("Location: {}\r\n", elsewhere.Url("/")));
  EXPECT_EQ(outcome.kind, Kind::kRefused);
  EXPECT_THAT(outcome.error, HasSubstr("redirects are not followed"));
  EXPECT_TRUE(elsewhere.requests().empty());
}

TEST_F(WebPostTest, FailsWithoutAnAnswer) {
  std::promise<void> done;
  {
    WebSource silent([&](const std::string&) {
      done.get_future().wait();
      return std::string();
    });
    timeout_ = absl::Milliseconds(300);
    const Outcome outcome = PostTo(silent.Url("/"));
    EXPECT_EQ(outcome.kind, Kind::kFailed);
    EXPECT_THAT(outcome.error, HasSubstr("timed out"));
    done.set_value();
  }
  int gone = 0;
  {
    const WebSource source([](const std::string&) { return std::string(); });
    gone = source.port();
  }
  EXPECT_EQ(PostTo(fmt::format("http://127.0.0.1:{}/", gone)).kind, Kind::kFailed);
}

TEST_F(WebPostTest, StopsWhenItIsNotWantedAnyMore) {
  std::promise<void> done;
  WebSource silent([&](const std::string&) {
    is_wanted_ = false;
    done.get_future().wait();
    return std::string();
  });
  EXPECT_EQ(PostTo(silent.Url("/")).kind, Kind::kStopped);
  done.set_value();
}

TEST_F(WebPostTest, AsksNothingOfTheServersOwnMachineUnlessItMay) {
  const WebSource source([](const std::string&) { return Reply("200 OK", "", ""); });
  options_.local_sources = false;
  const Outcome outcome = PostTo(fmt::format("http://localhost:{}/", source.port()));
  EXPECT_EQ(outcome.kind, Kind::kRefused);
  EXPECT_THAT(outcome.error, HasSubstr("an address of the server's own machine or link"));
  EXPECT_TRUE(source.requests().empty());
}

TEST_F(WebPostTest, NeedsNotTheWholeOfAnEndlessAnswer) {
  const WebSource source(
      [](const std::string&) { return "HTTP/1.1 200 OK\r\n\r\n" + std::string(1 << 20, 'x'); });
  EXPECT_EQ(PostTo(source.Url("/")).kind, Kind::kDelivered);
}

}  // namespace
}  // namespace potok::server
