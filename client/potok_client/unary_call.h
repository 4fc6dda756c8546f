// One call of a service with one answer. Only for .cc files: it needs gRPC.
#pragma once

#include <grpcpp/client_context.h>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "common/base/status_macros.h"
#include "common/rpc/status.h"

namespace potok::client {

// Longer than the server waits for a decision.
inline constexpr absl::Duration kUnaryCallTimeout = absl::Seconds(40);

// The answer of `method` of the stub, or the server's error; DEADLINE_EXCEEDED after
// kUnaryCallTimeout. Blocks. `Response` is given first, `method` is as &Service::Stub::Method.
// Thread-safe, as stubs are.
template <class Response, class Stub, class Method, class Request>
absl::StatusOr<Response> CallUnary(Stub& stub, Method method, const Request& request) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kUnaryCallTimeout));
  Response response;
  POTOK_RETURN_IF_ERROR(FromGrpc((stub.*method)(&context, request, &response)));
  return response;
}

}  // namespace potok::client
