#include "common/pipeline/webhooks.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok {

namespace {

// Long enough for every service's, and for an index of PostgreSQL.
constexpr std::size_t kWebhookBytesMax = 2000;

absl::Status BadWebhook(const std::string& url, const std::string& why) {
  return absl::InvalidArgumentError(
      fmt::format("'{}' cannot be notified: {}; give http://HOST/PATH or https://HOST/PATH",
                  WithoutSecrets(url).substr(0, 200),
                  why));
}

absl::Status CheckWebhook(const std::string& url) {
  if (url.size() > kWebhookBytesMax) {
    return BadWebhook(url, fmt::format("it has more than {} characters", kWebhookBytesMax));
  }
  const bool is_printable =
      std::ranges::all_of(url, [](char c) { return '!' <= c && c <= '~'; });  // RFC 3986, 2
  if (!is_printable) return BadWebhook(url, "it has a space or a character that no address has");
  const std::size_t scheme = absl::StartsWithIgnoreCase(url, "http://")    ? 7
                             : absl::StartsWithIgnoreCase(url, "https://") ? 8
                                                                           : 0;
  if (scheme == 0) return BadWebhook(url, "it begins with neither http:// nor https://");
  const std::string shown = WithoutSecrets(url);
  if (shown.size() == scheme || shown[scheme] == '/' || shown[scheme] == ':') {
    return BadWebhook(url, "it names no host");
  }
  return absl::OkStatus();
}

std::string PropertyOr(const std::map<std::string, std::string>& properties, const char* name) {
  const auto found = properties.find(name);
  return found == properties.end() ? "" : found->second;
}

std::vector<std::string> ListedIn(const std::map<std::string, std::string>& properties) {
  return absl::StrSplit(PropertyOr(properties, kNotifyProperty), ' ', absl::SkipEmpty());
}

}  // namespace

std::string WithoutSecrets(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
  const std::size_t end = std::min(url.find_first_of("?#", begin), url.size());
  const std::size_t path = std::min(url.find('/', begin), end);
  const std::size_t user = url.substr(begin, path - begin).rfind('@');
  const std::size_t host = user == std::string::npos ? begin : begin + user + 1;
  return url.substr(0, begin) + url.substr(host, end - host);
}

absl::StatusOr<Webhooks> WebhooksOf(const std::map<std::string, std::string>& properties) {
  Webhooks webhooks;
  webhooks.urls = ListedIn(properties);
  for (const std::string& url : webhooks.urls) POTOK_RETURN_IF_ERROR(CheckWebhook(url));
  if (webhooks.urls.size() > kWebhooksMax) {
    return absl::InvalidArgumentError(fmt::format(
        "a run notifies at most {} addresses, not {}", kWebhooksMax, webhooks.urls.size()));
  }
  const std::string on = PropertyOr(properties, kNotifyOnProperty);
  if (!on.empty() && webhooks.urls.empty()) {
    return absl::InvalidArgumentError(fmt::format(
        "'{}' says when to notify, but nobody is to be notified: give an address too", on));
  }
  if (!on.empty() && on != "ended" && on != "failed") {
    return absl::InvalidArgumentError(
        fmt::format("a run notifies when it has 'ended' or 'failed', not '{}'", on));
  }
  webhooks.only_failed = on == "failed";
  return webhooks;
}

absl::Status AddWebhooks(const std::vector<std::string>& urls,
                         const std::string& on,
                         std::map<std::string, std::string>* properties) {
  std::vector<std::string> all = ListedIn(*properties);
  for (const std::string& url : urls) {
    // One with a space in it would be read as two.
    POTOK_RETURN_IF_ERROR(CheckWebhook(url));
    if (std::ranges::find(all, url) == all.end()) all.push_back(url);
  }
  if (!all.empty()) (*properties)[kNotifyProperty] = absl::StrJoin(all, " ");
  if (!on.empty()) (*properties)[kNotifyOnProperty] = on;
  return WebhooksOf(*properties).status();
}

}  // namespace potok
