#include "common/rpc/status.h"

#include <string>

namespace potok {

namespace {
constexpr std::size_t kMessageBytesMax = std::size_t{6} * 1024;
}

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  std::string message(status.message().data(), status.message().size());
  if (message.size() > kMessageBytesMax) {
    message.resize(kMessageBytesMax);
    // Whole lines only: the list of problems in a large pipeline is cut between two of them.
    if (const auto line = message.rfind('\n'); line != std::string::npos) message.resize(line);
    message += "\n... more of the same was left out";
  }
  return {static_cast<grpc::StatusCode>(status.code()), message};
}

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  return {static_cast<absl::StatusCode>(status.error_code()), status.error_message()};
}

}  // namespace potok
