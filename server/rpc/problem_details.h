// The problems of a pipeline, one by one, beside the message that names them.
#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace potok::server {

// ToGrpc, and for INVALID_ARGUMENT, whose message has one "where: what is wrong" a line, a
// google.rpc.Status with a PipelineProblem for each line, as far as they fit in the headers of an
// answer (8 KiB with the message; gRPC's default).
grpc::Status WithProblems(const absl::Status& status);

}  // namespace potok::server
