// A notification as a request to a webhook. Thread-safe; blocks on the network.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "server/artifacts/web_network.h"
#include "server/notify/delivery_rules.h"

namespace potok::server {

struct WebPost {
  std::string url;
  std::string body;                  // JSON
  std::vector<std::string> headers;  // further lines, as "Potok-Delivery: x"
};

// POSTs it. Delivered by any answer of 2xx; redirects are not followed. Refused by all other
// answers below 500 but 408, 425 and 429 (RFC 9110, 15.5.9; RFC 8470; RFC 6585), and where it leads
// to an address that may not be asked. Everything else has failed, also no answer within `timeout`.
// Stopped, within about a second, when `is_wanted` is false.
Outcome Post(const WebPost& post,
             const WebOptions& options,
             absl::Duration timeout,
             const std::function<bool()>& is_wanted);

}  // namespace potok::server
