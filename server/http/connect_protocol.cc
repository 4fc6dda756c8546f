#include "server/http/connect_protocol.h"

#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "absl/strings/escaping.h"
#include "fmt/format.h"
#include "server/http/openapi/json_writer.h"

namespace potok::server {

namespace {

namespace pb = google::protobuf;

struct NamedForm {
  const char* name;
  WireForm form;
};

constexpr std::array<NamedForm, 5> kForms = {{
    {"application/json", {WireForm::Encoding::kJson, WireForm::Framing::kOne}},
    {"application/proto", {WireForm::Encoding::kProto, WireForm::Framing::kOne}},
    {"application/connect+json", {WireForm::Encoding::kJson, WireForm::Framing::kEnveloped}},
    {"application/connect+proto", {WireForm::Encoding::kProto, WireForm::Framing::kEnveloped}},
    {"application/x-ndjson", {WireForm::Encoding::kJson, WireForm::Framing::kLines}},
}};

constexpr std::size_t kPrefixBytes = 5;
constexpr unsigned char kCompressed = 0x01;
constexpr unsigned char kEndOfStream = 0x02;

std::unique_ptr<pb::Message> NewMessage(const pb::Descriptor& type) {
  const pb::Message* prototype = pb::MessageFactory::generated_factory()->GetPrototype(&type);
  return std::unique_ptr<pb::Message>(prototype->New());
}

std::string TextOf(const pb::util::Status& status) {
  return std::string(status.message().data(), status.message().size());
}

absl::StatusOr<std::vector<std::string>> LinesOf(const std::string& body) {
  std::vector<std::string> lines;
  for (std::size_t start = 0; start < body.size();) {
    const std::size_t end = std::min(body.find('\n', start), body.size());
    std::string line = body.substr(start, end - start);
    if (line.find_first_not_of(" \t\r") != std::string::npos) lines.push_back(std::move(line));
    start = end + 1;
  }
  return lines;
}

std::size_t BigEndian(const std::string& bytes, std::size_t at) {
  std::size_t value = 0;
  for (std::size_t i = 0; i < 4; ++i)
    value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

absl::StatusOr<std::vector<std::string>> EnvelopesOf(const std::string& body) {
  std::vector<std::string> messages;
  for (std::size_t at = 0; at < body.size();) {
    if (body.size() - at < kPrefixBytes) {
      return absl::InvalidArgumentError(fmt::format(
          "the body ends within the prefix of message {}: it is cut off", messages.size() + 1));
    }
    const auto flags = static_cast<unsigned char>(body[at]);
    const std::size_t length = BigEndian(body, at + 1);
    at += kPrefixBytes;
    if ((flags & kCompressed) != 0) {
      return absl::UnimplementedError(
          "compressed envelopes are not read; send Connect-Content-Encoding: identity");
    }
    if (flags != 0) {
      return absl::InvalidArgumentError(fmt::format(
          "message {} has the flags {:#04x}, which mean nothing in a request; is the body in "
          "envelopes?",
          messages.size() + 1,
          flags));
    }
    if (length > body.size() - at) {
      return absl::InvalidArgumentError(
          fmt::format("message {} should have {} bytes and the body ends after {}",
                      messages.size() + 1,
                      length,
                      body.size() - at));
    }
    messages.push_back(body.substr(at, length));
    at += length;
  }
  return messages;
}

std::string Envelope(unsigned char flags, const std::string& data) {
  std::string framed;
  framed.reserve(kPrefixBytes + data.size());
  framed.push_back(static_cast<char>(flags));
  for (const int shift : {24, 16, 8, 0}) {
    framed.push_back(static_cast<char>(data.size() >> shift & 0xff));
  }
  return framed += data;
}

}  // namespace

std::optional<WireForm> WireFormOf(const std::string& content_type) {
  std::string name = content_type.substr(0, content_type.find(';'));
  name.erase(name.find_last_not_of(" \t") + 1);
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  for (const NamedForm& known : kForms) {
    if (name == known.name) return known.form;
  }
  return std::nullopt;
}

std::string ContentTypeOf(const WireForm& form) {
  for (const NamedForm& known : kForms) {
    if (known.form.encoding == form.encoding && known.form.framing == form.framing) {
      return known.name;
    }
  }
  return "application/json";
}

std::string AcceptedContentTypes() {
  std::string all;
  for (const NamedForm& known : kForms) all += (all.empty() ? "" : ", ") + std::string(known.name);
  return all;
}

absl::StatusOr<std::string> ToBinary(const pb::Descriptor& type,
                                     WireForm::Encoding encoding,
                                     const std::string& text) {
  const std::unique_ptr<pb::Message> message = NewMessage(type);
  if (encoding == WireForm::Encoding::kProto) {
    if (message->ParseFromString(text)) return text;
    return absl::InvalidArgumentError(
        fmt::format("the {} bytes are no {}", text.size(), type.full_name()));
  }
  // An empty body stands for a request in which nothing is set, as `curl -d ''` sends it.
  const bool empty = text.find_first_not_of(" \t\r\n") == std::string::npos;
  const auto parsed = pb::util::JsonStringToMessage(empty ? "{}" : text, message.get());
  if (!parsed.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("the request is no {} in JSON: {}", type.full_name(), TextOf(parsed)));
  }
  return message->SerializeAsString();
}

absl::StatusOr<std::string> FromBinary(const pb::Descriptor& type,
                                       WireForm::Encoding encoding,
                                       const std::string& binary) {
  if (encoding == WireForm::Encoding::kProto) return binary;
  const std::unique_ptr<pb::Message> message = NewMessage(type);
  std::string json;
  if (!message->ParseFromString(binary)) {
    return absl::InternalError(fmt::format("the answer is no {}", type.full_name()));
  }
  const auto written = pb::util::MessageToJsonString(*message, &json);
  if (written.ok()) return json;
  return absl::InternalError(
      fmt::format("the answer cannot be written as JSON: {}", TextOf(written)));
}

absl::StatusOr<std::vector<std::string>> MessagesOf(const std::string& body,
                                                    WireForm::Framing framing) {
  switch (framing) {
    case WireForm::Framing::kOne:
      return std::vector<std::string>{body};
    case WireForm::Framing::kLines:
      return LinesOf(body);
    case WireForm::Framing::kEnveloped:
      break;
  }
  return EnvelopesOf(body);
}

std::string Framed(const std::string& message, WireForm::Framing framing) {
  if (framing == WireForm::Framing::kEnveloped) return Envelope(0, message);
  return framing == WireForm::Framing::kLines ? message + "\n" : message;
}

std::string EndOfStream(const ApiError& error, WireForm::Framing framing) {
  const std::string json =
      error.status.ok() ? "{}" : JsonObject().Add("error", ErrorJson(error)).Text();
  if (framing == WireForm::Framing::kEnveloped) return Envelope(kEndOfStream, json);
  return error.status.ok() ? "" : json + "\n";
}

absl::StatusOr<std::optional<absl::Duration>> TimeoutOf(const std::string& header) {
  if (header.empty()) return std::optional<absl::Duration>();
  const bool digits =
      std::ranges::all_of(header, [](unsigned char c) { return std::isdigit(c) != 0; });
  if (!digits || header.size() > 10) {
    return absl::InvalidArgumentError(fmt::format(
        "Connect-Timeout-Ms: '{}' is not a number of at most 10 digits", header.substr(0, 40)));
  }
  return std::optional<absl::Duration>(absl::Milliseconds(std::stoll(header)));
}

absl::StatusOr<std::string> QueryMessage(const std::string& message, bool is_base64) {
  if (!is_base64) return message;
  std::string bytes;
  if (absl::WebSafeBase64Unescape(message, &bytes)) return bytes;
  return absl::InvalidArgumentError("message= is not base64 of the alphabet A-Z a-z 0-9 - _");
}

}  // namespace potok::server
