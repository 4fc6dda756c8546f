// absl::Status and grpc::Status: the same numbers, one mapping.
#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace potok {

// Messages beyond 8 KiB are cut: they travel in HTTP/2 headers, which have a limit (gRPC: 8 KiB by
// default).
grpc::Status ToGrpc(const absl::Status& status);
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace potok
