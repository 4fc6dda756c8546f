#include "agent/loop/disk_room.h"

#include <sys/statvfs.h>

#include "common/base/resources.h"
#include "fmt/format.h"

namespace potok::agent {

std::string FullDiskText(const std::string& path, std::int64_t bytes_min) {
  struct statvfs disk {};
  if (statvfs(path.c_str(), &disk) != 0) return "";
  const auto free_bytes = static_cast<std::int64_t>(disk.f_bavail * disk.f_frsize);
  // Some disks do not count files.
  const bool has_files = disk.f_files == 0 || disk.f_favail > 0;
  if (free_bytes > bytes_min && has_files) return "";
  return fmt::format(
      "the disk of {} has no room left ({} free{}): write less, or give the machine more room",
      path,
      FormatBytes(free_bytes),
      has_files ? "" : ", but no more files");
}

}  // namespace potok::agent
