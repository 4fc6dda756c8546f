// Commands beside steps.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "potok/v1/exec.pb.h"

namespace grpc {
class Channel;
}

namespace potok::client {

// What the command is connected to. Functions are called on the caller's thread but for `size`.
struct ExecSides {
  int input = -1;  // a descriptor that is read; -1: the command's input is empty
  std::function<void(const v1::ExecStarted&)> started;
  std::function<void(const std::string& bytes, bool is_error)> output;
  // Columns and rows of its terminal, asked again and again; null: it has none.
  std::function<std::pair<std::size_t, std::size_t>()> size;
  std::stop_token interrupted;  // sends SIGINT
};

// Runs the command until it ends. Blocks. Statuses are those of Runs.Exec.
absl::StatusOr<v1::ExecEnded> RunExec(const std::shared_ptr<grpc::Channel>& channel,
                                      v1::ExecStart start,
                                      const ExecSides& sides);

}  // namespace potok::client
