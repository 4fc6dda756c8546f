#include "server/artifacts/beneath.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::server {

namespace {

absl::StatusOr<Fd> OpenAt(int root, const std::string& path, std::uint64_t flags) {
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  for (;;) {
    const long fd = syscall(SYS_openat2, root, path.c_str(), &how, sizeof how);
    if (fd >= 0) return Fd(static_cast<int>(fd));
    // A rename elsewhere made the kernel unsure of "beneath"; openat2(2) says to try again.
    if (errno != EAGAIN) return DiskError(errno, "open", path);
  }
}

}  // namespace

absl::StatusOr<Fd> OpenBeneath(int root, const std::vector<std::string>& parts) {
  std::string path = ".";
  for (const std::string& part : parts) path += "/" + part;
  return OpenAt(root, path, O_PATH);
}

absl::StatusOr<Fd> MakeFoldersBeneath(int root, const std::vector<std::string>& parts) {
  POTOK_ASSIGN_OR_RETURN(Fd folder, OpenAt(root, ".", O_RDONLY | O_DIRECTORY));
  for (const std::string& part : parts) {
    if (mkdirat(folder.get(), part.c_str(), 0755) != 0 && errno != EEXIST) {
      return DiskError(errno, "make folder", part);
    }
    auto below = OpenAt(folder.get(), part, O_RDONLY | O_DIRECTORY);
    if (absl::IsNotFound(below.status())) {
      return absl::InvalidArgumentError(fmt::format("'{}' is a file, not a folder", part));
    }
    POTOK_RETURN_IF_ERROR(below.status());
    folder = *std::move(below);
  }
  return folder;
}

std::string PathOf(const Fd& fd) {
  return fmt::format("/proc/self/fd/{}", fd.get());
}

}  // namespace potok::server
