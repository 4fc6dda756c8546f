// One attempt's log as one caller reads it: from a place, to a place, perhaps only what a search
// finds. One thread at a time; blocks on the disk.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/attempt.h"
#include "potok/v1/runs.pb.h"
#include "server/logs/line_search.h"
#include "server/logs/log_reader.h"

namespace potok::server {

// INVALID_ARGUMENT if the request asks for places that contradict each other; else the compiled
// pattern, null if it searches for nothing.
absl::StatusOr<std::shared_ptr<const LinePattern>> CheckLogsRequest(const v1::LogsRequest& request);

class LogSource {
 public:
  // `request` outlives it. With `offset` it begins there, else where the request says.
  LogSource(LogReader reader,
            std::string step,
            std::uint32_t attempt,
            const v1::LogsRequest& request,
            std::shared_ptr<const LinePattern> pattern,
            std::optional<std::int64_t> offset);

  enum class Outcome {
    kPiece,    // the response is to be sent
    kNothing,  // read, but nothing of it is to be sent; there may be more
    kAtEnd,    // there is no more now
    kDone,     // all that was asked for is read
  };
  // The next piece, of bounded size.
  absl::StatusOr<Outcome> Next(v1::LogsResponse* response);

  // Nothing more is appended: what is still to be sent of what was read. False if there is nothing.
  bool Conclude(v1::LogsResponse* response);

  // Keeps no file open until the next piece.
  void Rest() { reader_.Close(); }

  // All before this byte was read.
  std::int64_t offset() const { return offset_; }

 private:
  absl::Status Place();
  absl::StatusOr<std::int64_t> BeginOfRequest();
  absl::StatusOr<std::int64_t> EndOfRequest();
  void Describe(v1::LogsResponse* response) const;
  bool Found(std::vector<FoundLine> lines, v1::LogsResponse* response);

  LogReader reader_;
  const std::string step_;
  const std::uint32_t attempt_;
  const v1::LogsRequest& request_;
  const std::shared_ptr<const LinePattern> pattern_;
  const std::optional<std::int64_t> resume_at_;
  bool placed_ = false;
  bool concluded_ = false;
  std::int64_t offset_ = 0;
  std::int64_t end_ = 0;
  std::optional<LineSearch> search_;
};

}  // namespace potok::server
