// Errors of the Connect protocol: their names, their HTTP status, their details.
#include <google/protobuf/any.pb.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/wrappers.pb.h>

#include <array>
#include <memory>

#include "absl/strings/escaping.h"
#include "google/rpc/status.pb.h"
#include "server/http/connect_protocol.h"

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

// As protobuf writes a string in JSON, so that hostile text in messages stays text.
std::string JsonText(const std::string& text) {
  google::protobuf::StringValue holder;
  holder.set_value(text);
  std::string json;
  return google::protobuf::util::MessageToJsonString(holder, &json).ok() ? json : "\"\"";
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
  std::string all;
  for (const google::protobuf::Any& any : status.details()) {
    const std::string name = any.type_url().substr(any.type_url().rfind('/') + 1);
    std::string value = absl::Base64Escape(any.value());
    value.erase(value.find_last_not_of('=') + 1);
    all += all.empty() ? "" : ",";
    all += "{\"type\":" + JsonText(name) + ",\"value\":\"" + value + "\"";
    if (const std::string debug = DebugOf(any); !debug.empty()) all += ",\"debug\":" + debug;
    all += "}";
  }
  return all;
}

}  // namespace

int HttpStatusOf(absl::StatusCode code) {
  return CodeOf(code).http;
}

std::string ErrorJson(const ApiError& error) {
  std::string json = std::string("{\"code\":\"") + CodeOf(error.status.code()).name +
                     "\",\"message\":" + JsonText(std::string(error.status.message()));
  const std::string details = DetailsJson(error.details);
  if (!details.empty()) json += ",\"details\":[" + details + "]";
  return json + "}";
}

}  // namespace potok::server
