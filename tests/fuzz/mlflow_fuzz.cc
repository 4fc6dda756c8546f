// What steps and people send to MLflow's API. The first byte says what: the call and who calls for
// JSON, or a search, a file's name, a token.
#include <nlohmann/json.hpp>

#include "common/rpc/utf8.h"
#include "server/tracking/logged_files.h"
#include "server/tracking/mlflow_api.h"
#include "server/tracking/mlflow_filter.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/tracking_world.h"

namespace potok::server {
namespace {

using Json = nlohmann::json;

struct Call {
  const char* method;
  const char* path;
};
constexpr Call kCalls[] = {{"POST", "/runs/log-batch"},
                           {"POST", "/runs/create"},
                           {"GET", "/runs/get"},
                           {"POST", "/runs/update"},
                           {"POST", "/runs/delete"},
                           {"POST", "/runs/restore"},
                           {"POST", "/runs/search"},
                           {"POST", "/runs/log-metric"},
                           {"POST", "/runs/log-parameter"},
                           {"POST", "/runs/set-tag"},
                           {"POST", "/runs/delete-tag"},
                           {"POST", "/runs/log-inputs"},
                           {"POST", "/runs/outputs"},
                           {"POST", "/runs/log-model"},
                           {"GET", "/metrics/get-history"},
                           {"GET", "/artifacts/list"},
                           {"GET", "/experiments/get"},
                           {"GET", "/experiments/get-by-name"},
                           {"POST", "/experiments/create"},
                           {"POST", "/experiments/search"},
                           {"POST", "/logged-models"},
                           {"GET", "/logged-models/m-1"},
                           {"PATCH", "/logged-models/m-1"},
                           {"POST", "/logged-models/m-1/params"},
                           {"PATCH", "/logged-models/m-1/tags"}};
constexpr std::size_t kOthers = 3;

// A server with one step that logs.
struct World {
  StepClaim step{{7, 2, 1}, "calm_lake", "train", "calm_lake_train", "prices"};
  TrackingWorld store{step};
  TrackingWriter writer{store, [](const LoggedMetric& /*metric*/) {}};
  MlflowApi api{store, writer};
  StepTokens tokens{"a secret of the server's"};
};

// Whatever is asked, the answer is JSON; what is wrong with a request is the caller's to mend.
void CheckCall(const Call& call, const std::string& body) {
  static World world;
  for (const MlflowCaller& caller : {MlflowCaller(world.step), MlflowCaller()}) {
    const MlflowAnswer answer = world.api.Handle(caller, {call.method, call.path, {}, body});
    const Json json = Json::parse(answer.json, nullptr, /*allow_exceptions=*/false);
    POTOK_CHECK(json.is_object());
    POTOK_CHECK(answer.status != 500);
    if (answer.status == 200) continue;
    POTOK_CHECK(json.at("error_code").is_string() && !json.at("message").empty());
  }
}

void CheckSearch(const std::string& text) {
  ParseOrder(text).IgnoreError();
  const auto conditions = ParseFilter(text);
  if (!conditions.ok()) return;
  for (const TrackedCondition& condition : *conditions) {
    POTOK_CHECK(!condition.name.empty() && !condition.comparator.empty());
  }
}

// A name leads nowhere but to what is below its holder, and is written as it was read.
void CheckFileName(const std::string& text) {
  const auto name = ParseLoggedName(text);
  if (!name.ok()) return;
  POTOK_CHECK(!name->holder.empty() && name->holder.find('/') == std::string::npos);
  POTOK_CHECK(AsUtf8(name->path) == name->path && name->path.find('\0') == std::string::npos);
  const std::string below = "/" + name->path + "/";
  POTOK_CHECK(below.find("/../") == std::string::npos && below.find("/./") == std::string::npos);
  POTOK_CHECK(name->path.empty() || below.find("//") == std::string::npos);
  const std::string whole = name->path.empty() ? name->holder : name->holder + "/" + name->path;
  const auto again = ParseLoggedName(whole);
  POTOK_CHECK(again.ok() && again->holder == name->holder && again->path == name->path);
}

// Nobody makes a token without the secret.
void CheckToken(const std::string& text) {
  static const StepTokens tokens("a secret of the server's");
  static const std::string good = tokens.TokenOf({{7, 2, 1}, "r", "s", "r_s", "e"});
  POTOK_CHECK(tokens.Read(good).has_value());
  POTOK_CHECK(!tokens.Read(text).has_value());
  POTOK_CHECK(!tokens.Read(good + text).has_value() || text.empty());
}

}  // namespace
}  // namespace potok::server

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace potok;
  using namespace potok::server;
  if (size == 0) return 0;
  const std::string text = TextOf(data + 1, size - 1);
  const std::size_t which = data[0] % (std::size(kCalls) + kOthers);
  if (which < std::size(kCalls)) {
    CheckCall(kCalls[which], text);
  } else if (which == std::size(kCalls)) {
    CheckSearch(text);
  } else if (which == std::size(kCalls) + 1) {
    CheckFileName(text);
  } else {
    CheckToken(text);
  }
  return 0;
}
