// Whom a run tells that it has ended: addresses that are kept in properties of the run
// (docs/decisions/0035-notifications.md). Pure.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace potok {

// The addresses, a space between two; and "ended" or "failed" (none: ended).
inline constexpr char kNotifyProperty[] = "potok.notify";
inline constexpr char kNotifyOnProperty[] = "potok.notify_on";
inline constexpr std::size_t kWebhooksMax = 10;

struct Webhooks {
  std::vector<std::string> urls;
  bool only_failed = false;  // else whatever came of the run
  bool operator==(const Webhooks&) const = default;
};

// Whom a run with these properties tells. INVALID_ARGUMENT, without what is secret in an address,
// says which is none of http:// or https://, that there are too many, or nobody to tell.
absl::StatusOr<Webhooks> WebhooksOf(const std::map<std::string, std::string>& properties);

// Adds `urls` to those of `properties`, each once, and replaces when they are told unless `on` is
// empty. Errors are those of WebhooksOf; `properties` are then half changed.
absl::Status AddWebhooks(const std::vector<std::string>& urls,
                         const std::string& on,
                         std::map<std::string, std::string>* properties);

// An address as messages and logs show it: without user, password, query and fragment.
std::string WithoutSecrets(const std::string& url);

}  // namespace potok
