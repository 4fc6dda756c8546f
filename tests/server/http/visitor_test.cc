#include "server/http/visitor.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "server/http/access.h"

namespace potok::server {
namespace {

class VisitorTest : public ::testing::Test {
 protected:
  VisitorTest() {
    std::string pattern = ::testing::TempDir() + "visitor-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    access_ = Access::Open(folder_ + "/http.token").value();
    std::ifstream(folder_ + "/http.token") >> token_;
    visitor_.host = "127.0.0.1:8780";
    session_ = access_->TakeCode(access_->MakeCode(now_), now_);
  }
  ~VisitorTest() override { std::filesystem::remove_all(folder_); }

  absl::StatusCode Enter() const { return MayEnter(visitor_, *access_, now_).code(); }

  const absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
  std::string folder_;
  std::unique_ptr<Access> access_;
  std::string token_;
  std::string session_;
  Visitor visitor_;
};

TEST_F(VisitorTest, NobodyIsLetInWithoutToken) {
  EXPECT_EQ(Enter(), absl::StatusCode::kUnauthenticated);
}

TEST_F(VisitorTest, TheTokenOpens) {
  visitor_.authorization = "Bearer " + token_;
  EXPECT_EQ(Enter(), absl::StatusCode::kOk);
}

TEST_F(VisitorTest, AWrongTokenIsNotMendedByACookie) {
  visitor_.authorization = "Bearer wrong";
  visitor_.cookie = "potok_8780=" + session_;
  EXPECT_EQ(Enter(), absl::StatusCode::kUnauthenticated);
}

TEST_F(VisitorTest, TheCookieOfThisPortOpensAmongOthers) {
  visitor_.cookie = "a=b; potok_8780=" + session_ + "; potok_9=x";
  EXPECT_EQ(Enter(), absl::StatusCode::kOk);
  visitor_.cookie = "xpotok_8780=" + session_ + "; potok_9=" + session_;
  EXPECT_EQ(Enter(), absl::StatusCode::kUnauthenticated);
}

TEST_F(VisitorTest, PagesOfOtherPortsMayNotUseTheCookie) {
  visitor_.cookie = "potok_8780=" + session_;
  visitor_.origin = "http://127.0.0.1:8780";
  EXPECT_EQ(Enter(), absl::StatusCode::kOk);
  for (const char* origin : {"http://127.0.0.1:8781",
                             "http://localhost:8780",
                             "null",
                             "https://evil.example",
                             "http://127.0.0.1:8780.evil.example"}) {
    visitor_.origin = origin;
    EXPECT_EQ(Enter(), absl::StatusCode::kPermissionDenied) << origin;
  }
}

TEST(LoopbackHostTest, IsJudgedByItsName) {
  for (const char* host : {"127.0.0.1", "127.0.0.1:1", "localhost:8780", "[::1]:80", "[::1]"}) {
    EXPECT_TRUE(IsLoopbackHost(host)) << host;
  }
  for (const char* host : {"",
                           ":80",
                           "evil.example",
                           "127.0.0.1.evil.example:80",
                           "localhost@evil",
                           "[::1].evil",
                           "10.0.0.1:80",
                           "127.0.0.1:80:80",
                           "::1"}) {
    EXPECT_FALSE(IsLoopbackHost(host)) << host;
  }
}

}  // namespace
}  // namespace potok::server
