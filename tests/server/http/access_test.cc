#include "server/http/access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace potok::server {
namespace {

using ::testing::HasSubstr;

class AccessTest : public ::testing::Test {
 protected:
  AccessTest() {
    std::string pattern = ::testing::TempDir() + "access-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    path_ = folder_ + "/http.token";
  }
  ~AccessTest() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<Access> Open() { return Access::Open(path_).value(); }
  std::string Token() const {
    std::ifstream file(path_);
    std::string token;
    file >> token;
    return token;
  }
  void WriteToken(const std::string& text, mode_t mode) {
    std::ofstream(path_) << text;
    chmod(path_.c_str(), mode);
  }

  std::string folder_;
  std::string path_;
  const absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
};

TEST_F(AccessTest, MakesATokenThatOnlyItsOwnerCanRead) {
  const auto access = Open();
  struct stat info {};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  EXPECT_GE(Token().size(), 32U);
  EXPECT_TRUE(access->IsToken("Bearer " + Token()));
}

TEST_F(AccessTest, KeepsTheTokenThatIsThere) {
  Open();
  const std::string token = Token();
  EXPECT_TRUE(Open()->IsToken("Bearer " + token));
  EXPECT_EQ(Token(), token);
}

TEST_F(AccessTest, RefusesEverythingElse) {
  const auto access = Open();
  const std::string token = Token();
  const std::vector<std::string> wrongs = {std::string(),
                                           token,
                                           "Basic " + token,
                                           "Bearer",
                                           "Bearer ",
                                           "Bearer " + token + "x",
                                           "bearer " + token,
                                           "Bearer " + token.substr(1)};
  for (const std::string& wrong : wrongs) {
    EXPECT_FALSE(access->IsToken(wrong)) << wrong;
  }
}

TEST_F(AccessTest, RefusesAFileThatOthersCanRead) {
  WriteToken("0123456789abcdef0123\n", 0644);
  const auto access = Access::Open(path_);
  EXPECT_EQ(access.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(access.status().message()), HasSubstr(path_));
}

TEST_F(AccessTest, RefusesAFileWithoutAToken) {
  for (const char* text : {"\n", "short", "a token with blanks in it"}) {
    WriteToken(text, 0600);
    EXPECT_EQ(Access::Open(path_).status().code(), absl::StatusCode::kFailedPrecondition) << text;
  }
}

TEST_F(AccessTest, SaysWhereItCouldNotMakeOne) {
  const auto access = Access::Open(folder_ + "/none/http.token");
  EXPECT_EQ(access.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(access.status().message()), HasSubstr("none/http.token"));
}

TEST_F(AccessTest, ACodeOpensASessionOnce) {
  const auto access = Open();
  const std::string code = access->MakeCode(now_);
  const std::string session = access->TakeCode(code, now_);
  EXPECT_TRUE(access->IsSession(session, now_));
  EXPECT_EQ(access->TakeCode(code, now_), "");
}

TEST_F(AccessTest, ACodeEndsAfterItsLife) {
  const auto access = Open();
  const std::string code = access->MakeCode(now_);
  EXPECT_EQ(access->TakeCode(code, now_ + Access::kLinkLife), "");
  EXPECT_EQ(access->TakeCode("", now_), "");
}

TEST_F(AccessTest, ASessionOutlivesARestartAndEnds) {
  const std::string session = [&] {
    const auto access = Open();
    return access->TakeCode(access->MakeCode(now_), now_);
  }();
  const auto again = Open();
  EXPECT_TRUE(again->IsSession(session, now_ + Access::kSessionLife - absl::Seconds(1)));
  EXPECT_FALSE(again->IsSession(session, now_ + Access::kSessionLife));
}

TEST_F(AccessTest, ASessionCannotBeProlongedOrMade) {
  const auto access = Open();
  const std::string session = access->TakeCode(access->MakeCode(now_), now_);
  const std::string mac = session.substr(session.find('.'));
  const std::vector<std::string> forgeries = {"9999999999" + mac,
                                              mac,
                                              std::string("."),
                                              std::string(),
                                              session + "0",
                                              session.substr(0, session.size() - 1)};
  for (const std::string& forged : forgeries) {
    EXPECT_FALSE(access->IsSession(forged, now_)) << forged;
  }
}

TEST_F(AccessTest, ASessionEndsWithItsToken) {
  const auto access = Open();
  const std::string session = access->TakeCode(access->MakeCode(now_), now_);
  std::filesystem::remove(path_);
  EXPECT_FALSE(Open()->IsSession(session, now_));
}

}  // namespace
}  // namespace potok::server
