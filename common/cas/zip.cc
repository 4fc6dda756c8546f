// The format: PKWARE's APPNOTE 6.3, sections 4.3.7 (local header), 4.3.12 (central directory) and
// 4.3.16 (its end).
#include "common/cas/zip.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

#include "common/base/status_macros.h"
#include "common/cas/disk_file.h"
#include "fmt/format.h"

namespace potok {

namespace {

constexpr std::size_t kZipBytesMax = std::size_t{256} << 20;
constexpr std::size_t kZipMembersMax = 0xFFFF;
constexpr std::uint32_t kZipVersion = 20;         // 2.0, which knows folders
constexpr std::uint32_t kZipMadeByUnix = 3 << 8;  // external attributes are Unix modes
constexpr std::uint32_t kZipNamesAreUtf8 = 1 << 11;
constexpr std::uint32_t kZipFirstDate = (1 << 5) | 1;  // 1980-01-01

std::array<std::uint32_t, 256> MakeCrcTable() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t rest = i;
    for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1) ^ ((rest & 1) != 0 ? 0xEDB88320 : 0);
    table.at(i) = rest;
  }
  return table;
}

// CRC-32 as in ISO 3309.
std::uint32_t ZipChecksum(const std::string& bytes) {
  static const std::array<std::uint32_t, 256> table = MakeCrcTable();
  std::uint32_t sum = 0xFFFFFFFF;
  for (const char byte : bytes) {
    sum = (sum >> 8) ^ table.at((sum ^ static_cast<std::uint8_t>(byte)) & 0xFF);
  }
  return ~sum;
}

void Append16(std::uint32_t value, std::string* bytes) {
  bytes->push_back(static_cast<char>(value & 0xFF));
  bytes->push_back(static_cast<char>((value >> 8) & 0xFF));
}

void Append32(std::uint32_t value, std::string* bytes) {
  Append16(value & 0xFFFF, bytes);
  Append16(value >> 16, bytes);
}

class ZipWriter {
 public:
  absl::Status AddFolder(const ScannedFolder& folder, const std::string& name) {
    POTOK_RETURN_IF_ERROR(AddMember(name + "/", "", 040755, 0x10));
    for (const auto& [member, file] : folder.files) {
      POTOK_ASSIGN_OR_RETURN(const std::string content, ReadWhole(file.path));
      const std::uint32_t mode = file.is_executable ? 0100755 : 0100644;
      POTOK_RETURN_IF_ERROR(AddMember(name + "/" + member, content, mode, 0));
    }
    for (const auto& [member, inner] : folder.folders) {
      POTOK_RETURN_IF_ERROR(AddFolder(inner, name + "/" + member));
    }
    return absl::OkStatus();
  }

  std::string Finish() {
    const auto directory_at = static_cast<std::uint32_t>(archive_.size());
    archive_ += directory_;
    Append32(0x06054B50, &archive_);
    Append32(0, &archive_);  // the numbers of the disks
    Append16(members_, &archive_);
    Append16(members_, &archive_);
    Append32(static_cast<std::uint32_t>(directory_.size()), &archive_);
    Append32(directory_at, &archive_);
    Append16(0, &archive_);  // no comment
    return std::move(archive_);
  }

 private:
  absl::StatusOr<std::string> ReadWhole(const std::string& path) const {
    POTOK_ASSIGN_OR_RETURN(const Fd fd, OpenFile(path, O_RDONLY | O_NONBLOCK));
    std::string content;
    std::array<char, 1 << 16> piece{};
    while (true) {
      const ssize_t got = read(fd.get(), piece.data(), piece.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return DiskError(errno, "read", path);
      if (got == 0) return content;
      content.append(piece.data(), static_cast<std::size_t>(got));
      POTOK_RETURN_IF_ERROR(CheckSize(content.size(), path));
    }
  }

  absl::Status CheckSize(std::size_t added, const std::string& what) const {
    if (archive_.size() + directory_.size() + added <= kZipBytesMax) return absl::OkStatus();
    return absl::InvalidArgumentError(
        fmt::format("with {} the zip has more than {} MiB; make the zip yourself, or include the "
                    "folder without .zip",
                    what,
                    kZipBytesMax >> 20));
  }

  absl::Status AddMember(const std::string& name,
                         const std::string& content,
                         std::uint32_t mode,
                         std::uint32_t dos_attributes) {
    if (++members_ > kZipMembersMax || name.size() > 0xFFFF) {
      return absl::InvalidArgumentError(
          fmt::format("with {} the zip has more than {} members, or a name of more than 65535 "
                      "bytes; make the zip yourself, or include the folder without .zip",
                      name,
                      kZipMembersMax));
    }
    POTOK_RETURN_IF_ERROR(CheckSize(content.size() + 2 * name.size() + 128, name));
    std::string common;  // of the local header and the directory
    Append16(kZipVersion, &common);
    Append16(kZipNamesAreUtf8, &common);
    Append16(0, &common);  // stored
    Append16(0, &common);  // midnight
    Append16(kZipFirstDate, &common);
    Append32(ZipChecksum(content), &common);
    Append32(static_cast<std::uint32_t>(content.size()), &common);
    Append32(static_cast<std::uint32_t>(content.size()), &common);
    Append16(static_cast<std::uint32_t>(name.size()), &common);
    Append16(0, &common);  // no extra field

    Append32(0x02014B50, &directory_);
    Append16(kZipMadeByUnix | kZipVersion, &directory_);
    directory_ += common;
    Append16(0, &directory_);  // no comment
    Append16(0, &directory_);  // on the first disk
    Append16(0, &directory_);  // bytes, not text
    Append32((mode << 16) | dos_attributes, &directory_);
    Append32(static_cast<std::uint32_t>(archive_.size()), &directory_);
    directory_ += name;

    Append32(0x04034B50, &archive_);
    archive_ += common + name + content;
    return absl::OkStatus();
  }

  std::string archive_;
  std::string directory_;
  std::uint32_t members_ = 0;
};

}  // namespace

absl::StatusOr<std::string> ZipOf(const ScannedFolder& folder, const std::string& name) {
  ZipWriter writer;
  POTOK_RETURN_IF_ERROR(writer.AddFolder(folder, name));
  return writer.Finish();
}

}  // namespace potok
