#include "server/artifacts/web_fetch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <cstdlib>
#include <filesystem>
#include <random>

#include "fmt/format.h"
#include "tests/common/cas/cas_testing.h"
#include "tests/server/artifacts/web_source.h"

namespace potok::server {
namespace {

namespace fs = std::filesystem;

using testing::HasSubstr;
using testing::Not;

class WebFetchTest : public testing::Test {
 protected:
  absl::StatusOr<Artifact> Fetch(const std::string& url) {
    auto file = FetchFromWeb(url, options_, *blobs_, /*known=*/nullptr, nullptr);
    if (!file.ok()) return file.status();
    return file->artifact;
  }
  // The error of a fetch that leaves nothing behind.
  absl::Status FailureOf(const std::string& url) {
    const auto fetched = Fetch(url);
    EXPECT_FALSE(fetched.ok());
    EXPECT_TRUE(fs::is_empty(folder_ / "blobs/uploads"));
    return fetched.status();
  }
  static WebOptions Options() {
    WebOptions options;
    options.local_sources = true;
    options.patience = absl::Seconds(2);
    return options;
  }
  static std::string Text(const absl::Status& status) { return std::string(status.message()); }

  TemporaryFolder folder_;
  std::unique_ptr<BlobStore> blobs_ = OpenStore(folder_ / "blobs");
  WebOptions options_ = Options();
};

TEST_F(WebFetchTest, TakesAFileAndTheLastPartOfItsPathAsItsName) {
  const WebSource source([](const std::string&) { return Reply("200 OK", "", "a,b\n"); });
  const auto file = Fetch(source.Url("/data/my%20table.csv?version=3#top"));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(*file, (Artifact{DigestOf("a,b\n"), /*is_folder=*/false, 4, "my table.csv"}));
  EXPECT_EQ(*blobs_->Read(file->digest), "a,b\n");
  EXPECT_EQ(Fetch(source.Url("/data/"))->file_name, "data");
  EXPECT_EQ(Fetch(source.Url("/%2e%2e"))->file_name, "data");
}

TEST_F(WebFetchTest, TakesAnEmptyFileAndOneWithoutALength) {
  const WebSource source([](const std::string& head) {
    if (head.find("/empty") != std::string::npos) return Reply("200 OK", "", "");
    return std::string("HTTP/1.0 200 OK\r\n\r\nuntil the end");
  });
  EXPECT_EQ(Fetch(source.Url("/empty"))->digest, DigestOf(""));
  EXPECT_EQ(Fetch(source.Url("/open"))->digest, DigestOf("until the end"));
}

TEST_F(WebFetchTest, GoesOnWhereItWasCutFiftyTimes) {
  const char* given = std::getenv("POTOK_TEST_SEED");
  const unsigned seed =
      given != nullptr ? static_cast<unsigned>(std::atoi(given)) : std::random_device{}();
  SCOPED_TRACE(fmt::format("POTOK_TEST_SEED={}", seed));
  const std::string whole = Noise(20'000'000, 1);
  std::mt19937 random(seed);
  int cuts = 0;
  std::size_t sent = 0;
  const WebSource source([&](const std::string& head) {
    const auto begin = static_cast<std::size_t>(RangeOf(head));
    const std::string rest = whole.substr(begin);
    std::string answer =
        begin == 0 ? Reply("200 OK", "ETag: \"v1\"\r\n", rest)
                   : Reply("206 Partial Content",
                           fmt::format("ETag: \"v1\"\r\nContent-Range: bytes {}-{}/{}\r\n",
                                       begin,
                                       whole.size() - 1,
                                       whole.size()),
                           rest);
    if (cuts < 50) {
      ++cuts;
      answer.resize(std::uniform_int_distribution<std::size_t>(1, 300'000)(random));
    }
    sent += answer.size();
    return answer;
  });
  const auto file = Fetch(source.Url("/large"));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->digest, DigestOf(whole));
  EXPECT_EQ(cuts, 50);
  // Every byte once, and some heads. Had one cut begun anew, it would be much more.
  EXPECT_LT(sent, whole.size() + 200'000);
  EXPECT_THAT(source.requests().back(), HasSubstr("If-Range: \"v1\""));
  EXPECT_TRUE(fs::is_empty(folder_ / "blobs/uploads"));
}

TEST_F(WebFetchTest, BeginsAnewWhenTheFileHasChangedMeanwhile) {
  const std::string old_one = Noise(300'000, 1);
  const std::string new_one = Noise(200'000, 2);
  int request = 0;
  const WebSource source([&](const std::string&) {
    if (++request > 1) return Reply("200 OK", "ETag: \"new\"\r\n", new_one);
    return Reply("200 OK", "ETag: \"old\"\r\n", old_one).substr(0, 100'000);
  });
  const auto file = Fetch(source.Url("/x"));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->digest, DigestOf(new_one));
}

TEST_F(WebFetchTest, JoinsNothingThatTheSourceCannotVouchFor) {
  const std::string whole = Noise(300'000, 1);
  int request = 0;
  const WebSource source([&](const std::string&) {
    // A weak tag allows no joining (RFC 9110, 8.8.3).
    const std::string answer = Reply("200 OK", "ETag: W/\"v1\"\r\n", whole);
    return ++request > 1 ? answer : answer.substr(0, 100'000);
  });
  EXPECT_EQ(Fetch(source.Url("/x"))->digest, DigestOf(whole));
  EXPECT_THAT(source.requests().back(), Not(HasSubstr("Range: ")));
}

TEST_F(WebFetchTest, SaysThatASourceSendsLessThanItAnnounces) {
  const WebSource source([](const std::string&) {
    return std::string("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort");
  });
  const absl::Status failure = FailureOf(source.Url("/x"));
  EXPECT_TRUE(absl::IsDataLoss(failure)) << failure;
  EXPECT_THAT(Text(failure), HasSubstr(source.Url("/x")));
  EXPECT_THAT(Text(failure), HasSubstr("before what it announced"));
}

TEST_F(WebFetchTest, FollowsTenRedirectsButNotEleven) {
  const WebSource source([](const std::string& head) {
    const int left = std::stoi(head.substr(head.find("/hop/") + 5));
    if (left == 0) return Reply("200 OK", "", "there");
    return Reply("302 Found", fmt::format("Location: /hop/{}\r\n", left - 1), "");
  });
  const auto file = Fetch(source.Url("/hop/10"));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->digest, DigestOf("there"));
  const absl::Status failure = FailureOf(source.Url("/hop/11"));
  EXPECT_TRUE(absl::IsFailedPrecondition(failure)) << failure;
  EXPECT_THAT(Text(failure), HasSubstr("redirected more than 10 times"));
}

TEST_F(WebFetchTest, FollowsNoRedirectOutOfTheWeb) {
  const WebSource source([](const std::string&) {
    return Reply("302 Found", "Location: file:///etc/passwd\r\n", "");
  });
  const absl::Status failure = FailureOf(source.Url("/x"));
  EXPECT_TRUE(absl::IsFailedPrecondition(failure)) << failure;
}

TEST_F(WebFetchTest, TellsWhatTheSourceAnsweredWithoutTheAddressesSecrets) {
  const struct {
    std::string status;
    absl::StatusCode code;
  } cases[] = {{"404 Not Found", absl::StatusCode::kNotFound},
               {"403 Forbidden", absl::StatusCode::kPermissionDenied},
               {"400 Bad Request", absl::StatusCode::kInvalidArgument},
               {"500 Internal Server Error", absl::StatusCode::kUnavailable}};
  for (const auto& [status, code] : cases) {
    const WebSource source([&](const std::string&) { return Reply(status, "", "no"); });
    const absl::Status failure = FailureOf(
        fmt::format("http://ann:geheim@127.0.0.1:{}/some/file?sig=geheim#geheim", source.port()));
    EXPECT_EQ(failure.code(), code) << failure;
    EXPECT_THAT(Text(failure), HasSubstr(source.Url("/some/file")));
    EXPECT_THAT(Text(failure), HasSubstr(status.substr(0, 3)));
    EXPECT_THAT(Text(failure), Not(HasSubstr("geheim")));
    EXPECT_THAT(source.requests().front(), HasSubstr("Authorization: Basic"));
  }
}

TEST_F(WebFetchTest, SaysThatNobodyAnswers) {
  int port = 0;
  {
    port = WebSource([](const std::string&) { return std::string(); }).port();
  }
  const absl::Status failure = FailureOf(fmt::format("http://u:geheim@127.0.0.1:{}/x", port));
  EXPECT_TRUE(absl::IsUnavailable(failure)) << failure;
  EXPECT_THAT(Text(failure), HasSubstr(fmt::format("http://127.0.0.1:{}/x", port)));
  EXPECT_THAT(Text(failure), HasSubstr("onnect"));
  EXPECT_THAT(Text(failure), Not(HasSubstr("geheim")));
}

TEST_F(WebFetchTest, RefusesWhatIsNoAddressWithoutRepeatingIt) {
  for (const char* url : {"http://", "https://u:geheim@/x", "http://h:99999/geheim", "ftp://h/x"}) {
    const absl::Status failure = FailureOf(url);
    EXPECT_TRUE(absl::IsInvalidArgument(failure)) << failure;
    EXPECT_THAT(Text(failure), Not(HasSubstr("geheim")));
  }
}

TEST_F(WebFetchTest, StopsAtTheLargestSizeAnnouncedOrNot) {
  options_.bytes_max = 1000;
  const WebSource source([](const std::string& head) {
    const std::string body(1001, 'x');
    if (head.find("/told") != std::string::npos) return Reply("200 OK", "", body);
    return "HTTP/1.0 200 OK\r\n\r\n" + body;
  });
  for (const char* path : {"/told", "/silent"}) {
    const absl::Status failure = FailureOf(source.Url(path));
    EXPECT_TRUE(absl::IsResourceExhausted(failure)) << failure;
    EXPECT_THAT(Text(failure), HasSubstr("--http_bytes_max"));
  }
}

TEST_F(WebFetchTest, AsksNothingOfTheServersOwnMachineUnlessAllowed) {
  options_.local_sources = false;
  const WebSource source([](const std::string&) { return Reply("200 OK", "", "secret"); });
  for (const char* host : {"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0"}) {
    const absl::Status failure = FailureOf(fmt::format("http://{}:{}/x", host, source.port()));
    EXPECT_TRUE(absl::IsPermissionDenied(failure)) << host << failure;
    EXPECT_THAT(Text(failure), HasSubstr("--http_local_sources"));
  }
  EXPECT_TRUE(absl::IsPermissionDenied(FailureOf("http://169.254.169.254/latest/meta-data")));
  EXPECT_THAT(source.requests(), testing::IsEmpty());
}

TEST_F(WebFetchTest, AsksThroughAProxyThatMayBeLocal) {
  options_.local_sources = false;
  const WebSource proxy([](const std::string&) { return Reply("200 OK", "", "through"); });
  options_.proxy = proxy.Url("");
  const auto file = Fetch("http://files.example/x.csv");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->digest, DigestOf("through"));
  EXPECT_THAT(proxy.requests().front(), HasSubstr("GET http://files.example/x.csv"));
}

// Only the port of a proxy was looked at: with no_proxy for this machine, as is usual, whatever it
// served on that port could be fetched.
TEST_F(WebFetchTest, TheProxysPortIsNotOpenOnThisMachine) {
  options_.local_sources = false;
  const WebSource source([](const std::string&) { return Reply("200 OK", "", "secret"); });
  options_.proxy = fmt::format("http://192.0.2.1:{}", source.port());  // of RFC 5737: nobody's
  options_.no_proxy = "127.0.0.1";
  EXPECT_TRUE(absl::IsPermissionDenied(FailureOf(source.Url("/x"))));
  EXPECT_THAT(source.requests(), testing::IsEmpty());
}

TEST_F(WebFetchTest, StopsWhenItIsNotWantedAnyMore) {
  const WebSource source([](const std::string&) { return Reply("200 OK", "", Noise(1000, 1)); });
  const auto fetched =
      FetchFromWeb(source.Url("/x"), options_, *blobs_, /*known=*/nullptr, [] { return false; });
  EXPECT_TRUE(absl::IsCancelled(fetched.status())) << fetched.status();
  EXPECT_TRUE(fs::is_empty(folder_ / "blobs/uploads"));
}

// A certificate for 127.0.0.1 that only it itself vouches for.
class WebFetchTlsTest : public WebFetchTest {
 protected:
  void SetUp() override {
    const std::string command = fmt::format(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "
        "/CN=test -addext subjectAltName=IP:127.0.0.1 -keyout {0}/key.pem -out {0}/cert.pem "
        "2>/dev/null",
        folder_.path());
    ASSERT_EQ(std::system(command.c_str()), 0);
    server_ = std::make_unique<httplib::SSLServer>((folder_ / "cert.pem").c_str(),
                                                   (folder_ / "key.pem").c_str());
    server_->Get("/x", [](const httplib::Request&, httplib::Response& response) {
      response.set_content("safe", "text/plain");
    });
    server_->Get("/down", [](const httplib::Request&, httplib::Response& response) {
      response.set_redirect("http://127.0.0.1/x");
    });
    port_ = server_->bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_->listen_after_bind(); });
  }
  void TearDown() override {
    server_->stop();
    thread_.join();
  }
  std::string Url(const std::string& path) const {
    return fmt::format("https://127.0.0.1:{}{}", port_, path);
  }

  std::unique_ptr<httplib::SSLServer> server_;
  std::thread thread_;
  int port_ = 0;
};

TEST_F(WebFetchTlsTest, TrustsOnlyTheAuthoritiesThatItIsGiven) {
  const absl::Status failure = FailureOf(Url("/x"));
  EXPECT_TRUE(absl::IsFailedPrecondition(failure)) << failure;
  EXPECT_THAT(Text(failure), HasSubstr("certificate is not trusted"));
  EXPECT_THAT(Text(failure), HasSubstr("--http_ca_file"));
  options_.ca_file = folder_ / "cert.pem";
  const auto file = Fetch(Url("/x"));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->digest, DigestOf("safe"));
}

TEST_F(WebFetchTlsTest, FollowsNoRedirectFromHttpsToHttp) {
  options_.ca_file = folder_ / "cert.pem";
  EXPECT_TRUE(absl::IsFailedPrecondition(FailureOf(Url("/down"))));
}

}  // namespace
}  // namespace potok::server
