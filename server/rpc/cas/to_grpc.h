// Our statuses as gRPC's. For .cc files only.
#pragma once

#include <grpcpp/support/status.h>

#include <string>

#include "absl/status/status.h"

namespace potok::server {

// The same number; the text cut to what fits into an HTTP/2 header.
inline grpc::Status ToGrpc(const absl::Status& status) {
  constexpr std::size_t kTextBytesMax = 2000;
  return {static_cast<grpc::StatusCode>(status.code()),
          std::string(status.message()).substr(0, kTextBytesMax)};
}

}  // namespace potok::server
