// Errors of the Connect protocol: their names, their HTTP status, their details.
#include <google/protobuf/any.pb.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <array>

#include "absl/strings/escaping.h"
#include "common/rpc/utf8.h"
#include "google/rpc/status.pb.h"
#include "server/http/connect_protocol.h"
#include "server/http/openapi/json_writer.h"

namespace potok::server {

namespace {

struct Code {
  const char* name;
  int http;
};

// By absl::StatusCode, whose numbers are those of gRPC ("Error codes" and "HTTP to error code" of
// the reference).
constexpr std::array<Code, 17> kCodes = {{
    {"ok", 200},
    {"canceled", 499},
    {"unknown", 500},
    {"invalid_argument", 400},
    {"deadline_exceeded", 504},
    {"not_found", 404},
    {"already_exists", 409},
    {"permission_denied", 403},
    {"resource_exhausted", 429},
    {"failed_precondition", 400},
    {"aborted", 409},
    {"out_of_range", 400},
    {"unimplemented", 501},
    {"internal", 500},
    {"unavailable", 503},
    {"data_loss", 500},
    {"unauthenticated", 401},
}};

const Code& CodeOf(absl::StatusCode code) {
  const auto number = static_cast<std::size_t>(code);
  return kCodes.at(number < kCodes.size() ? number : 2);
}

// The message that an Any holds, as JSON, if its type is linked in; otherwise "".
std::string DebugOf(const google::protobuf::Any& any) {
  const std::string name = any.type_url().substr(any.type_url().rfind('/') + 1);
  const auto* type =
      google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(name);
  if (type == nullptr) return "";
  const auto json = FromBinary(*type, WireForm::Encoding::kJson, any.value());
  return json.ok() ? *json : "";
}

std::string DetailsJson(const std::string& details) {
  google::rpc::Status status;
  if (details.empty() || !status.ParseFromString(details)) return "";
  JsonArray all;
  for (const google::protobuf::Any& any : status.details()) {
    const std::string name = any.type_url().substr(any.type_url().rfind('/') + 1);
    std::string value = absl::Base64Escape(any.value());
    value.erase(value.find_last_not_of('=') + 1);
    JsonObject detail;
    detail.AddText("type", name).AddText("value", value);
    if (const std::string debug = DebugOf(any); !debug.empty()) detail.Add("debug", debug);
    all.Add(detail.Text());
  }
  return all.Text();
}

}  // namespace

int HttpStatusOf(absl::StatusCode code) {
  return CodeOf(code).http;
}

std::string ErrorJson(const ApiError& error) {
  JsonObject json;
  json.AddText("code", CodeOf(error.status.code()).name)
      .AddText("message", AsUtf8(std::string(error.status.message())));
  if (const std::string details = DetailsJson(error.details); !details.empty()) {
    json.Add("details", details);
  }
  return json.Text();
}

}  // namespace potok::server
