#include "common/pipeline/webhooks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fmt/format.h"

namespace potok {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

using Properties = std::map<std::string, std::string>;

std::string Text(const absl::Status& status) {
  return std::string(status.message());
}

TEST(WebhooksTest, KeepsAddressesOnceAndReadsThemBack) {
  Properties properties = {{"team", "vision"}};
  ASSERT_TRUE(AddWebhooks({"https://a.example/x", "http://b"}, "", &properties).ok());
  ASSERT_TRUE(AddWebhooks({"http://b", "http://c:8080/?k=1"}, "failed", &properties).ok());
  const auto webhooks = WebhooksOf(properties);
  ASSERT_TRUE(webhooks.ok()) << webhooks.status();
  EXPECT_THAT(webhooks->urls, ElementsAre("https://a.example/x", "http://b", "http://c:8080/?k=1"));
  EXPECT_TRUE(webhooks->only_failed);
  EXPECT_THAT(properties, testing::Contains(Pair("team", "vision")));
}

TEST(WebhooksTest, NotifiesNobodyWithoutProperties) {
  EXPECT_EQ(*WebhooksOf({}), Webhooks());
  Properties properties;
  ASSERT_TRUE(AddWebhooks({}, "", &properties).ok());
  EXPECT_TRUE(properties.empty());
}

TEST(WebhooksTest, RefusesWhatIsNoAddressWithoutItsSecrets) {
  for (const char* url : {"ftp://user:hidden@a/?key=hidden",
                          "user:hidden@host?key=hidden",
                          "http://user:hidden@/x#hidden",
                          "https://:80/?hidden",
                          "http://a/b c?hidden",
                          "http://a/\n?hidden",
                          "http://a/\xc3\xa4?hidden",
                          "https://"}) {
    Properties properties;
    const absl::Status refused = AddWebhooks({url}, "", &properties);
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument) << url;
    EXPECT_THAT(Text(refused), AllOf(HasSubstr("cannot be notified"), Not(HasSubstr("hidden"))));
  }
  const Properties long_one = {{kNotifyProperty, "http://a/" + std::string(2000, 'x')}};
  EXPECT_THAT(Text(WebhooksOf(long_one).status()), HasSubstr("more than 2000 characters"));
}

TEST(WebhooksTest, RefusesTooManyAndAWordThatSaysNothing) {
  std::vector<std::string> urls;
  for (int i = 0; i < 11; ++i) urls.push_back(fmt::format("http://host/{}", i));
  Properties properties;
  EXPECT_THAT(Text(AddWebhooks(urls, "", &properties)), HasSubstr("at most 10 addresses, not 11"));
  properties = {{kNotifyProperty, "http://a"}, {kNotifyOnProperty, "success"}};
  EXPECT_THAT(Text(WebhooksOf(properties).status()), HasSubstr("'ended' or 'failed'"));
  properties = {{kNotifyOnProperty, "failed"}};
  EXPECT_THAT(Text(WebhooksOf(properties).status()), HasSubstr("nobody is to be notified"));
}

TEST(WebhooksTest, ShowsAnAddressWithoutItsSecrets) {
  EXPECT_EQ(WithoutSecrets("https://me:pass@host:80/path/x?token=1#y"), "https://host:80/path/x");
  EXPECT_EQ(WithoutSecrets("http://host?a@b/c"), "http://host");
  EXPECT_EQ(WithoutSecrets("http://a@b@host/p@q"), "http://host/p@q");
  EXPECT_EQ(WithoutSecrets(""), "");
}

}  // namespace
}  // namespace potok
