#include "server/notify/body.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "absl/time/time.h"
#include "fmt/format.h"

namespace potok::server {

namespace {

using Json = nlohmann::ordered_json;

Json TextOrNull(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

// RFC 3339, in UTC.
Json TimeOrNull(std::int64_t us) {
  if (us == 0) return {};
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", absl::FromUnixMicros(us), absl::UTCTimeZone());
}

// One line for people; chat services show it.
std::string TextOf(const Ending& ending) {
  const std::string text = fmt::format("Potok: run {} {}", ending.run, ending.status);
  return ending.reason.empty() ? text : text + ": " + ending.reason;
}

}  // namespace

std::string BodyOf(const Ending& ending, const std::string& delivery) {
  Json failed = Json::array();
  for (const FailedStep& step : ending.failed_steps) {
    failed.push_back({{"step", step.name}, {"reason", TextOrNull(step.reason)}});
  }
  const Json body = {{"event", "run.ended"},
                     {"delivery", delivery},
                     {"text", TextOf(ending)},
                     {"run", ending.run},
                     {"display_name", TextOrNull(ending.display_name)},
                     {"experiment", TextOrNull(ending.experiment)},
                     {"status", ending.status},
                     {"reason", TextOrNull(ending.reason)},
                     {"submitter", TextOrNull(ending.submitter)},
                     {"created_at", TimeOrNull(ending.created_us)},
                     {"started_at", TimeOrNull(ending.started_us)},
                     {"ended_at", TimeOrNull(ending.ended_us)},
                     {"steps",
                      {{"total", ending.steps_total},
                       {"completed", ending.steps_completed},
                       {"failed", ending.steps_failed},
                       {"canceled", ending.steps_canceled}}},
                     {"failed_steps", failed}};
  return body.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

std::string SignatureOf(const std::string& body, const std::string& secret) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned int size = 0;
  HMAC(EVP_sha256(),
       secret.data(),
       static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(body.data()),
       body.size(),
       mac.data(),
       &size);
  return "sha256=" +
         absl::BytesToHexString(std::string(reinterpret_cast<const char*>(mac.data()), size));
}

}  // namespace potok::server
