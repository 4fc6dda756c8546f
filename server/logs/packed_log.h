// A finished log as compressed frames that can be read from any offset.
//
// The file is in zstd's seekable format (contrib/seekable_format of zstd): independent frames of
// 256 KiB of the log, each with a checksum, and behind them a table of their lengths in a frame
// that decompressors skip. `zstd -d` reads it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/logs/log_files.h"

namespace potok::server {

// Writes `log` compressed to `packed`: under another name first, synced to the disk with its
// folder, then renamed, so that whatever has the name is whole. Blocks for some milliseconds a
// megabyte. CANCELLED, and nothing is left, once `stop` says so; it is asked at each frame.
absl::Status PackLog(const std::string& log,
                     const std::string& packed,
                     const std::function<bool()>& stop);

// One thread.
class PackedLog {
 public:
  // NOT_FOUND if it is not there; DATA_LOSS if its table is not whole.
  static absl::StatusOr<PackedLog> Open(const std::string& path);

  // Bytes of the log.
  std::int64_t size() const { return begins_.back(); }

  // Up to `bytes_max` from `offset`, of one frame; empty at the end. DATA_LOSS names the file. A
  // frame is unpacked once for reads of it in order.
  absl::StatusOr<std::string> Read(std::int64_t offset, std::size_t bytes_max);

 private:
  PackedLog(std::string path, LogFd file) : path_(std::move(path)), file_(std::move(file)) {}
  absl::Status ReadTable();
  absl::Status Unpack(std::size_t frame);

  std::string path_;
  LogFd file_;
  std::vector<std::int64_t> begins_ = {0};         // of each frame in the log, and its end
  std::vector<std::int64_t> packed_begins_ = {0};  // the same in the file
  std::size_t unpacked_ = static_cast<std::size_t>(-1);
  std::string frame_;
};

}  // namespace potok::server
