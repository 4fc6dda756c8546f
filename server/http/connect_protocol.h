// The Connect protocol over HTTP/1.1 as bytes: how requests, answers, errors and streams are
// written. Pure; generic over the descriptors of the messages.
//
// Source: the protocol's own description, "Connect Protocol Reference". What Potok adds for people
// with curl is in docs/decisions/0011-http-is-the-same-api.md.
#pragma once

#include <google/protobuf/descriptor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace potok::server {

// How messages are written, and how they follow each other.
struct WireForm {
  enum class Encoding { kProto, kJson };
  enum class Framing {
    kOne,        // the body is one message
    kEnveloped,  // each behind a flag and a length; the last envelope says how it ended
    kLines,      // each JSON on a line of its own (Potok's addition)
  };
  Encoding encoding = Encoding::kJson;
  Framing framing = Framing::kOne;
};

// Of "application/json; charset=utf-8" and the like; nothing for a type that is not ours.
std::optional<WireForm> WireFormOf(const std::string& content_type);
// "application/connect+json".
std::string ContentTypeOf(const WireForm& form);
// All that a request to `method` may have, for the header Accept-Post.
std::string AcceptedContentTypes();

// A message from the wire as binary protobuf, and back. INVALID_ARGUMENT names the message and what
// is wrong; an unknown JSON field is wrong. INTERNAL if our own bytes cannot be written.
absl::StatusOr<std::string> ToBinary(const google::protobuf::Descriptor& type,
                                     WireForm::Encoding encoding,
                                     const std::string& text);
absl::StatusOr<std::string> FromBinary(const google::protobuf::Descriptor& type,
                                       WireForm::Encoding encoding,
                                       const std::string& binary);

// The messages of a request body. INVALID_ARGUMENT for a body that ends in the middle of one,
// UNIMPLEMENTED for compressed envelopes.
absl::StatusOr<std::vector<std::string>> MessagesOf(const std::string& body,
                                                    WireForm::Framing framing);

// One message of a stream as it is sent.
std::string Framed(const std::string& message, WireForm::Framing framing);

// What went wrong, with google.rpc.Status details if there are any (serialised, as gRPC carries
// them in grpc-status-details-bin).
struct ApiError {
  absl::Status status;
  std::string details;
};

// {"code":"not_found","message":"...","details":[...]}
std::string ErrorJson(const ApiError& error);
// 404 for NOT_FOUND; 200 for OK.
int HttpStatusOf(absl::StatusCode code);
// The end of a stream as it is sent: an end-of-stream envelope, or the line {"error":...}; nothing
// for a good end of lines.
std::string EndOfStream(const ApiError& error, WireForm::Framing framing);

// "Connect-Timeout-Ms: 1500". Nothing for an empty text; INVALID_ARGUMENT for anything but 1 to 10
// digits.
absl::StatusOr<std::optional<absl::Duration>> TimeoutOf(const std::string& header);

// The message of a GET ("message" of the query), which is base64 of RFC 4648 section 5 with or
// without padding if `is_base64`.
absl::StatusOr<std::string> QueryMessage(const std::string& message, bool is_base64);

}  // namespace potok::server
