#include "server/rpc/problem_details.h"

#include <sstream>
#include <string>

#include "common/rpc/status.h"
#include "google/rpc/status.pb.h"
#include "potok/v1/runs.pb.h"

namespace potok::server {

namespace {

// The message may take 6 KiB, and headers are base64: a third more.
constexpr std::size_t kDetailsBytesMax = 1200;

v1::PipelineProblem ProblemOf(const std::string& line) {
  v1::PipelineProblem problem;
  const std::size_t colon = line.find(": ");
  const bool has_place = colon != std::string::npos && line.find(' ') > colon;
  if (has_place) problem.set_where(line.substr(0, colon));
  problem.set_message(has_place ? line.substr(colon + 2) : line);
  return problem;
}

}  // namespace

grpc::Status WithProblems(const absl::Status& status) {
  const grpc::Status plain = ToGrpc(status);
  if (!absl::IsInvalidArgument(status)) return plain;
  google::rpc::Status details;
  details.set_code(plain.error_code());
  std::istringstream lines{std::string(status.message())};
  for (std::string line; std::getline(lines, line);) {
    details.add_details()->PackFrom(ProblemOf(line));
    if (details.ByteSizeLong() > kDetailsBytesMax) {
      details.mutable_details()->RemoveLast();
      break;
    }
  }
  return {plain.error_code(), plain.error_message(), details.SerializeAsString()};
}

}  // namespace potok::server
