#include "server/logs/packed_log.h"

#include <fcntl.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::server {
namespace {

constexpr std::size_t kFrameBytes = std::size_t{256} << 10;
// zstd's default: what costs more saves little of a log's text.
constexpr int kLevel = 3;

// zstd_seekable_compression_format.md.
constexpr std::uint32_t kTableMagic = 0x184D2A5E;
constexpr std::uint32_t kFooterMagic = 0x8F92EAB1;
constexpr std::int64_t kTableHeadBytes = 8;
constexpr std::int64_t kEntryBytes = 8;  // without checksums: each frame has its own
constexpr std::int64_t kFooterBytes = 9;

void PutNumber(std::string& out, std::uint32_t number) {
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(number >> shift & 0xFF);
}

std::uint32_t NumberAt(const std::string& bytes, std::size_t at) {
  std::uint32_t number = 0;
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

absl::Status SyncFolderOf(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const LogFd file(folder, O_RDONLY | O_DIRECTORY);
  if (!file.is_open() || fsync(file.get()) != 0) return LogErrno("syncing " + folder, errno);
  return absl::OkStatus();
}

// The frames of `log`, then their table, into `out`.
absl::Status WriteFrames(const LogFd& log,
                         const LogFd& out,
                         const std::string& name,
                         const std::function<bool()>& stop) {
  const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(),
                                                                     ZSTD_freeCCtx);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, kLevel);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  std::string piece(kFrameBytes, '\0');
  std::string packed(ZSTD_compressBound(kFrameBytes), '\0');
  std::string entries;
  std::int64_t read_to = 0;
  std::int64_t written_to = 0;
  while (true) {
    if (stop()) return absl::CancelledError("packing " + name + ": stopped");
    const std::int64_t got = log.ReadAt(read_to, piece.data(), piece.size());
    if (got < 0) return LogErrno("reading a log to pack it to " + name, errno);
    if (got == 0) break;
    const std::size_t bytes = ZSTD_compress2(
        context.get(), packed.data(), packed.size(), piece.data(), static_cast<std::size_t>(got));
    if (ZSTD_isError(bytes) != 0) {
      return absl::InternalError(fmt::format("packing {}: {}", name, ZSTD_getErrorName(bytes)));
    }
    if (!out.WriteAt(written_to, packed.data(), bytes)) return LogErrno("writing " + name, errno);
    PutNumber(entries, static_cast<std::uint32_t>(bytes));
    PutNumber(entries, static_cast<std::uint32_t>(got));
    read_to += got;
    written_to += static_cast<std::int64_t>(bytes);
  }
  std::string table;
  PutNumber(table, kTableMagic);
  PutNumber(table, static_cast<std::uint32_t>(entries.size() + kFooterBytes));
  table += entries;
  PutNumber(table, static_cast<std::uint32_t>(entries.size() / kEntryBytes));
  table += '\0';  // no checksums in the table
  PutNumber(table, kFooterMagic);
  if (!out.WriteAt(written_to, table.data(), table.size()))
    return LogErrno("writing " + name, errno);
  if (fsync(out.get()) != 0) return LogErrno("syncing " + name, errno);
  return absl::OkStatus();
}

}  // namespace

absl::Status PackLog(const std::string& log,
                     const std::string& packed,
                     const std::function<bool()>& stop) {
  const LogFd in(log, O_RDONLY);
  if (!in.is_open()) return LogErrno("opening log " + log, errno);
  const std::string temporary = packed + ".tmp";
  absl::Status status;
  {
    const LogFd out(temporary, O_WRONLY | O_CREAT | O_TRUNC);
    if (!out.is_open()) return LogErrno("making " + temporary, errno);
    status = WriteFrames(in, out, temporary, stop);
  }
  if (status.ok() && rename(temporary.c_str(), packed.c_str()) != 0) {
    status = LogErrno("renaming " + temporary, errno);
  }
  if (!status.ok()) {
    unlink(temporary.c_str());
    return status;
  }
  return SyncFolderOf(packed);
}

absl::StatusOr<PackedLog> PackedLog::Open(const std::string& path) {
  LogFd file(path, O_RDONLY);
  if (!file.is_open()) {
    if (errno == ENOENT) return absl::NotFoundError("there is no " + path);
    return LogErrno("opening log " + path, errno);
  }
  PackedLog log(path, std::move(file));
  POTOK_RETURN_IF_ERROR(log.ReadTable());
  return log;
}

absl::Status PackedLog::ReadTable() {
  const auto broken = [this](const char* what) {
    return absl::DataLossError(fmt::format("the packed log {} is damaged: {}", path_, what));
  };
  const std::int64_t size = file_.size();
  std::string footer(kFooterBytes, '\0');
  if (size < kTableHeadBytes + kFooterBytes ||
      file_.ReadAt(size - kFooterBytes, footer.data(), footer.size()) != kFooterBytes ||
      NumberAt(footer, 5) != kFooterMagic || footer[4] != 0) {
    return broken("it has no table at its end");
  }
  const std::int64_t frames = NumberAt(footer, 0);
  const std::int64_t table_bytes = kTableHeadBytes + frames * kEntryBytes + kFooterBytes;
  if (table_bytes > size) return broken("its table is cut");
  std::string table(static_cast<std::size_t>(table_bytes), '\0');
  if (file_.ReadAt(size - table_bytes, table.data(), table.size()) != table_bytes ||
      NumberAt(table, 0) != kTableMagic) {
    return broken("its table cannot be read");
  }
  for (std::int64_t i = 0; i < frames; ++i) {
    const auto at = static_cast<std::size_t>(kTableHeadBytes + i * kEntryBytes);
    packed_begins_.push_back(packed_begins_.back() + NumberAt(table, at));
    begins_.push_back(begins_.back() + NumberAt(table, at + 4));
  }
  if (packed_begins_.back() != size - table_bytes) return broken("frames are missing");
  return absl::OkStatus();
}

absl::Status PackedLog::Unpack(std::size_t frame) {
  std::string packed(static_cast<std::size_t>(packed_begins_[frame + 1] - packed_begins_[frame]),
                     '\0');
  const auto bytes = static_cast<std::size_t>(begins_[frame + 1] - begins_[frame]);
  if (bytes > kFrameBytes) {
    return absl::DataLossError(
        fmt::format("the packed log {} is damaged: frame {} says {} bytes", path_, frame, bytes));
  }
  if (file_.ReadAt(packed_begins_[frame], packed.data(), packed.size()) !=
      static_cast<std::int64_t>(packed.size())) {
    return LogErrno("reading log " + path_, errno);
  }
  frame_.resize(bytes);
  const std::size_t got =
      ZSTD_decompress(frame_.data(), frame_.size(), packed.data(), packed.size());
  if (got != bytes) {
    unpacked_ = static_cast<std::size_t>(-1);
    return absl::DataLossError(
        fmt::format("the packed log {} is damaged: frame {} of {} does not unpack",
                    path_,
                    frame,
                    begins_.size() - 1));
  }
  unpacked_ = frame;
  return absl::OkStatus();
}

absl::StatusOr<std::string> PackedLog::Read(std::int64_t offset, std::size_t bytes_max) {
  if (offset < 0 || offset >= size()) return std::string();
  const auto after = std::upper_bound(begins_.begin(), begins_.end(), offset);
  const auto frame = static_cast<std::size_t>(after - begins_.begin()) - 1;
  if (unpacked_ != frame) POTOK_RETURN_IF_ERROR(Unpack(frame));
  return frame_.substr(static_cast<std::size_t>(offset - begins_[frame]), bytes_max);
}

}  // namespace potok::server
