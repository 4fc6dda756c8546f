#include "server/http/connect_bridge.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <grpcpp/channel.h>
#include <httplib.h>

#include <utility>

#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "server/http/api_call.h"
#include "server/http/connect_protocol.h"

namespace potok::server {

namespace {

namespace pb = google::protobuf;

const std::string kPackage = "potok.v1.";

void Refuse(int http, const absl::Status& status, httplib::Response& response) {
  response.status = http;
  response.set_content(ErrorJson({status, ""}), "application/json");
}

void Refuse(const ApiError& error, httplib::Response& response) {
  response.status = HttpStatusOf(error.status.code());
  response.set_content(ErrorJson(error), "application/json");
}

// "/potok.v1.Runs/Get"; null if there is no such method.
const pb::MethodDescriptor* MethodOf(const std::string& path) {
  const std::size_t slash = path.find('/', 1);
  if (slash == std::string::npos || path.compare(1, kPackage.size(), kPackage) != 0) return nullptr;
  const pb::ServiceDescriptor* service =
      pb::DescriptorPool::generated_pool()->FindServiceByName(path.substr(1, slash - 1));
  return service == nullptr ? nullptr : service->FindMethodByName(path.substr(slash + 1));
}

bool IsStream(const pb::MethodDescriptor& method) {
  return method.client_streaming() || method.server_streaming();
}

// The form of the answer; nothing if a request of this form cannot be one to the method. A stream
// that is asked for with one JSON message is answered in lines.
std::optional<WireForm> AnswerForm(const WireForm& asked, const pb::MethodDescriptor& method) {
  if (!IsStream(method)) {
    if (asked.framing == WireForm::Framing::kOne) return asked;
    return std::nullopt;
  }
  if (asked.framing != WireForm::Framing::kOne) return asked;
  if (asked.encoding != WireForm::Encoding::kJson) return std::nullopt;
  if (!method.server_streaming()) return asked;
  return WireForm{WireForm::Encoding::kJson, WireForm::Framing::kLines};
}

bool HasNoSideEffects(const pb::MethodDescriptor& method) {
  return method.options().idempotency_level() == pb::MethodOptions::NO_SIDE_EFFECTS;
}

}  // namespace

struct ConnectBridge::Call {
  const pb::MethodDescriptor* method = nullptr;
  WireForm form;  // of the answer
  ApiRequest request;
};

namespace {

// The messages of the body, as binary.
absl::StatusOr<std::vector<std::string>> ReadMessages(const pb::MethodDescriptor& method,
                                                      const WireForm& asked,
                                                      const std::string& body) {
  POTOK_ASSIGN_OR_RETURN(std::vector<std::string> messages, MessagesOf(body, asked.framing));
  if (!method.client_streaming() && messages.size() != 1) {
    return absl::InvalidArgumentError(
        fmt::format("{} takes one message and got {}", method.full_name(), messages.size()));
  }
  for (std::string& message : messages) {
    POTOK_ASSIGN_OR_RETURN(message, ToBinary(*method.input_type(), asked.encoding, message));
  }
  return messages;
}

absl::StatusOr<ApiRequest> ReadRequest(const pb::MethodDescriptor& method,
                                       const WireForm& asked,
                                       const std::string& body,
                                       const httplib::Request& http) {
  const std::string version = http.get_header_value("Connect-Protocol-Version");
  if (!version.empty() && version != "1") {
    return absl::InvalidArgumentError(
        fmt::format("Connect-Protocol-Version: {} is not spoken here; 1 is", version));
  }
  ApiRequest request;
  request.method = fmt::format("/{}/{}", method.service()->full_name(), method.name());
  POTOK_ASSIGN_OR_RETURN(request.timeout, TimeoutOf(http.get_header_value("Connect-Timeout-Ms")));
  POTOK_ASSIGN_OR_RETURN(request.messages, ReadMessages(method, asked, body));
  return request;
}

struct Asked {
  WireForm form;
  std::string body;
};

// Of a GET: ?encoding=json&message=...&base64=1 ("Unary-Get-Request" of the reference).
absl::StatusOr<Asked> AskedByQuery(const httplib::Request& http) {
  Asked asked;
  const std::string encoding = http.get_param_value("encoding");
  if (encoding != "json" && encoding != "proto") {
    return absl::InvalidArgumentError("a GET needs ?encoding=json or proto, and message=");
  }
  if (const std::string compression = http.get_param_value("compression");
      !compression.empty() && compression != "identity") {
    return absl::UnimplementedError("compressed messages in a query are not read");
  }
  if (encoding == "proto") asked.form.encoding = WireForm::Encoding::kProto;
  POTOK_ASSIGN_OR_RETURN(
      asked.body,
      QueryMessage(http.get_param_value("message"), http.get_param_value("base64") == "1"));
  return asked;
}

const std::function<bool()> kAlwaysWanted = [] { return true; };

}  // namespace

ConnectBridge::ConnectBridge(std::shared_ptr<grpc::Channel> channel)
    : channel_(std::move(channel)), streams_(std::make_shared<std::atomic<int>>(0)) {}

void ConnectBridge::Handle(const httplib::Request& request,
                           const std::string& body,
                           httplib::Response& response) {
  const pb::MethodDescriptor* method = MethodOf(request.path);
  if (method == nullptr) {
    const std::string text = fmt::format("no method {}; /openapi.json lists them", request.path);
    return Refuse(404, absl::UnimplementedError(text), response);
  }
  if (method->client_streaming() && method->server_streaming()) {
    response.set_header("Connection", "close");
    return Refuse(
        505,
        absl::UnimplementedError(method->full_name() + " streams both ways: call it by gRPC"),
        response);
  }
  Asked asked;
  if (request.method == "GET") {
    response.set_header("Allow", "POST");
    if (IsStream(*method) || !HasNoSideEffects(*method)) {
      return Refuse(405, absl::UnimplementedError(method->full_name() + " needs a POST"), response);
    }
    auto query = AskedByQuery(request);
    if (!query.ok()) return Refuse({query.status(), ""}, response);
    asked = *std::move(query);
  } else {
    const auto form = WireFormOf(request.get_header_value("Content-Type"));
    if (!form.has_value() || !AnswerForm(*form, *method).has_value()) {
      response.set_header("Accept-Post", AcceptedContentTypes());
      const std::string text = fmt::format("{} does not take the Content-Type '{}'; try {}",
                                           method->full_name(),
                                           request.get_header_value("Content-Type"),
                                           "application/json");
      return Refuse(415, absl::InvalidArgumentError(text), response);
    }
    asked = {*form, body};
  }
  Call call{method, *AnswerForm(asked.form, *method), {}};
  auto api_request = ReadRequest(*method, asked.form, asked.body, request);
  if (!api_request.ok()) {
    if (call.form.framing != WireForm::Framing::kEnveloped) {
      return Refuse({api_request.status(), ""}, response);
    }
    // Streams in envelopes always answer 200 and say the rest at their end.
    response.set_content(EndOfStream({api_request.status(), ""}, call.form.framing),
                         ContentTypeOf(call.form));
    return;
  }
  call.request = *std::move(api_request);
  if (call.form.framing == WireForm::Framing::kOne) {
    Answer(call, response);
  } else {
    Stream(call, response);
  }
}

void ConnectBridge::Answer(const Call& call, httplib::Response& response) {
  ApiCall api(channel_, call.request);
  const std::optional<std::string> message = api.Receive(kAlwaysWanted);
  while (message.has_value() && api.Receive(kAlwaysWanted).has_value()) {
  }
  const ApiError ended = api.Finish();
  if (!ended.status.ok() || !message.has_value()) return Refuse(ended, response);
  const auto text = FromBinary(*call.method->output_type(), call.form.encoding, *message);
  if (!text.ok()) return Refuse({text.status(), ""}, response);
  response.set_content(*text, ContentTypeOf(call.form));
}

namespace {

// An answer that is being streamed, and its place among those that may be.
class StreamedAnswer {
 public:
  StreamedAnswer(const pb::MethodDescriptor& method,
                 const WireForm& form,
                 const std::shared_ptr<grpc::Channel>& channel,
                 const ApiRequest& request,
                 std::shared_ptr<std::atomic<int>> streams)
      : type_(*method.output_type()),
        form_(form),
        streams_(std::move(streams)),
        call_(channel, request) {}
  ~StreamedAnswer() { --*streams_; }
  StreamedAnswer(const StreamedAnswer&) = delete;
  StreamedAnswer& operator=(const StreamedAnswer&) = delete;

  // The first message, waited for; the error if the call ends with one before it.
  ApiError WaitForFirst() {
    first_ = call_.Receive(kAlwaysWanted);
    if (first_.has_value()) return {};
    ended_ = call_.Finish();
    return *ended_;
  }

  // Sends one message, or the end. False when the client has gone.
  bool SendNext(httplib::DataSink& sink) {
    std::optional<std::string> message = std::exchange(first_, std::nullopt);
    if (!message.has_value() && !ended_.has_value()) {
      message = call_.Receive(sink.is_writable);
      if (!message.has_value()) ended_ = call_.Finish();
    }
    if (!message.has_value()) return SendEnd(*ended_, sink);
    const auto text = FromBinary(type_, form_.encoding, *message);
    if (!text.ok()) return SendEnd({text.status(), ""}, sink);
    const std::string framed = Framed(*text, form_.framing);
    return sink.write(framed.data(), framed.size());
  }

 private:
  bool SendEnd(const ApiError& error, httplib::DataSink& sink) const {
    const std::string end = EndOfStream(error, form_.framing);
    if (!end.empty() && !sink.write(end.data(), end.size())) return false;
    sink.done();
    return true;
  }

  const pb::Descriptor& type_;
  const WireForm form_;
  const std::shared_ptr<std::atomic<int>> streams_;
  ApiCall call_;
  std::optional<std::string> first_;
  std::optional<ApiError> ended_;
};

}  // namespace

void ConnectBridge::Stream(const Call& call, httplib::Response& response) {
  if (++*streams_ > kStreamsMax) {
    --*streams_;
    const absl::Status full = absl::ResourceExhaustedError(
        fmt::format("{} streams are open, as many as may be; close some", kStreamsMax));
    if (call.form.framing == WireForm::Framing::kLines) return Refuse({full, ""}, response);
    return response.set_content(EndOfStream({full, ""}, call.form.framing),
                                ContentTypeOf(call.form));
  }
  auto answer =
      std::make_shared<StreamedAnswer>(*call.method, call.form, channel_, call.request, streams_);
  if (call.form.framing == WireForm::Framing::kLines) {
    // So that `curl --fail` sees what is refused at once.
    if (const ApiError refused = answer->WaitForFirst(); !refused.status.ok()) {
      return Refuse(refused, response);
    }
  }
  response.set_chunked_content_provider(
      ContentTypeOf(call.form), [answer = std::move(answer)](std::size_t, httplib::DataSink& sink) {
        return answer->SendNext(sink);
      });
}

}  // namespace potok::server
