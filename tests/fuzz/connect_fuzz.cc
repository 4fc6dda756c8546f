// The Connect protocol's texts: messages, envelopes, timeouts, errors. The first byte says what is
// read, the second which message it is.
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include "potok/v1/admin.pb.h"
#include "potok/v1/agents.pb.h"
#include "potok/v1/machines.pb.h"
#include "potok/v1/runs.pb.h"
#include "server/http/connect_protocol.h"
#include "tests/fuzz/fuzz.h"

namespace potok::server {
namespace {

using Encoding = WireForm::Encoding;
using Framing = WireForm::Framing;

const google::protobuf::Descriptor& TypeNumber(unsigned number) {
  const google::protobuf::Descriptor* const types[] = {v1::ListRunsRequest::descriptor(),
                                                       v1::LogsRequest::descriptor(),
                                                       v1::WatchRunRequest::descriptor(),
                                                       v1::SubmitRunRequest::descriptor(),
                                                       v1::Run::descriptor(),
                                                       v1::AgentMessage::descriptor(),
                                                       v1::Machine::descriptor()};
  return *types[number % std::size(types)];
}

// What is read is written and read again as a message of the same size; the order in maps is free.
void CheckMessage(const google::protobuf::Descriptor& type,
                  Encoding from,
                  const std::string& text) {
  const auto binary = ToBinary(type, from, text);
  if (!binary.ok()) {
    POTOK_CHECK(binary.status().code() == absl::StatusCode::kInvalidArgument);
    return;
  }
  const auto json = FromBinary(type, Encoding::kJson, *binary);
  POTOK_CHECK(json.ok());
  const auto again = ToBinary(type, Encoding::kJson, *json);
  POTOK_CHECK(again.ok());
  if (from == Encoding::kJson) POTOK_CHECK(again->size() == binary->size());
}

void CheckFraming(const std::string& body) {
  MessagesOf(body, Framing::kLines).IgnoreError();
  const auto messages = MessagesOf(body, Framing::kEnveloped);
  if (!messages.ok()) return;
  std::string framed;
  for (const std::string& message : *messages) framed += Framed(message, Framing::kEnveloped);
  POTOK_CHECK(framed == body);
}

void CheckHeaders(const std::string& text) {
  if (const auto form = WireFormOf(text)) POTOK_CHECK(WireFormOf(ContentTypeOf(*form)).has_value());
  if (const auto timeout = TimeoutOf(text); timeout.ok() && timeout->has_value()) {
    POTOK_CHECK(**timeout >= absl::ZeroDuration());
  }
  QueryMessage(text, true).IgnoreError();
}

// Whatever an error says, it is JSON.
void CheckError(const std::string& text) {
  const ApiError error{absl::NotFoundError(text), text};
  for (const std::string& json : {ErrorJson(error), EndOfStream(error, Framing::kLines)}) {
    google::protobuf::Value parsed;
    POTOK_CHECK(google::protobuf::util::JsonStringToMessage(json, &parsed).ok());
  }
}

}  // namespace
}  // namespace potok::server

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace potok;
  using namespace potok::server;
  if (size < 2) return 0;
  const std::string text = TextOf(data + 2, size - 2);
  const google::protobuf::Descriptor& type = TypeNumber(data[1]);
  switch (data[0] % 5) {
    case 0:
      CheckMessage(type, Encoding::kJson, text);
      break;
    case 1:
      CheckMessage(type, Encoding::kProto, text);
      break;
    case 2:
      CheckFraming(text);
      break;
    case 3:
      CheckHeaders(text);
      break;
    default:
      CheckError(text);
  }
  return 0;
}
