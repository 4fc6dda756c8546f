#include "agent/executor/attempt_state.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "agent/executor/small_files.h"
#include "fmt/format.h"

namespace potok::agent {
namespace {

std::string StartFailureMessage(const ShimRecord& record) {
  const std::string why = std::generic_category().message(record.failed_errno);
  const std::string program(record.program, strnlen(record.program, sizeof(record.program)));
  switch (static_cast<StartStage>(record.failed_stage)) {
    case StartStage::kWorkingDirectory:
      return fmt::format("cannot enter the working directory {}: {}", program, why);
    case StartStage::kCgroup:
      return fmt::format("cannot put {} into its cgroup: {}", program, why);
    case StartStage::kLease:
      return fmt::format("cannot start {} without its lease: {}", program, why);
    case StartStage::kSpawn:
      return fmt::format("cannot make a process for {}: {}", program, why);
    case StartStage::kExec:
    case StartStage::kNone:
      break;
  }
  const char* hint = "";
  if (record.failed_errno == ENOENT) {
    hint = "; there is no such file, or, if it is a script, no such interpreter as its first line";
  } else if (record.failed_errno == EACCES) {
    hint = "; the file must be executable (chmod +x) and its file system not mounted noexec";
  } else if (record.failed_errno == ENOEXEC) {
    hint = "; it is neither a program for this machine nor a script that starts with #!";
  } else if (record.failed_errno == E2BIG) {
    hint = "; arguments and environment together are too long: pass large values as files";
  }
  return fmt::format("cannot run {}: {}{}", program, why, hint);
}

}  // namespace

UniqueFd MoveAboveShims(int fd) {
  UniqueFd file(fd);
  if (fd < 0 || fd > kChannelFd) return file;
  return UniqueFd(fcntl(fd, F_DUPFD_CLOEXEC, kChannelFd + 1));
}

std::string StatePath(const std::string& folder) {
  return folder + "/state";
}

absl::StatusOr<UniqueFd> CreateState(const std::string& folder, const ShimRecord& record) {
  const std::string path = StatePath(folder);
  UniqueFd file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.valid()) return ErrnoStatus(errno, "create", path);
  ShimRecord before = {};
  const bool locked = flock(file.get(), LOCK_EX | LOCK_NB) == 0;
  if (!locked && errno != EWOULDBLOCK) return ErrnoStatus(errno, "lock", path);
  if (pread(file.get(), &before, sizeof(before), 0) < 0) return ErrnoStatus(errno, "read", path);
  if (!locked || before.magic != 0) {
    return absl::AlreadyExistsError(fmt::format(
        "{} tells of an attempt that was started before; it is not started again", path));
  }
  if (pwrite(file.get(), &record, sizeof(record), 0) != static_cast<ssize_t>(sizeof(record))) {
    const int error = errno == 0 ? ENOSPC : errno;
    unlink(path.c_str());
    return ErrnoStatus(error, "lock and write", path);
  }
  return file;
}

absl::StatusOr<FoundState> FindState(const std::string& folder) {
  const std::string path = StatePath(folder);
  const UniqueFd file(open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!file.valid()) return ErrnoStatus(errno, "open", path);
  FoundState found;
  // Before the reading: what an ended shim wrote is there then.
  found.shim_lives = flock(file.get(), LOCK_EX | LOCK_NB) != 0;
  const ssize_t size = pread(file.get(), &found.record, sizeof(found.record), 0);
  if (size < 0) return ErrnoStatus(errno, "read", path);
  const bool is_whole =
      size == static_cast<ssize_t>(sizeof(found.record)) && found.record.magic == kShimRecordMagic;
  // Of a shim that an agent of an earlier release started. A folder that was used before may have a
  // longer file.
  const bool is_earlier =
      size >= static_cast<ssize_t>(kShimRecord1Bytes) && found.record.magic == kShimRecordMagic1;
  if (!is_whole && !is_earlier) {
    return absl::DataLossError(fmt::format("{} is cut or of another release of Potok", path));
  }
  if (is_earlier) {
    found.record.wall_ns = found.record.peak_tree_bytes = 0;
    found.record.read_bytes = found.record.written_bytes = -1;
    found.record.leaf_peak_before = found.record.leaf_cpu_ns_before = 0;
    found.record.leaf_memory_limit = 0;
  }
  return found;
}

Ended EndOf(const ShimRecord& record) {
  Ended end;
  end.cause = EndCause::kLost;
  if (record.ended == 0) return end;
  end.cause = static_cast<EndCause>(record.cause);
  end.code = record.code;
  end.usage.child_out_of_memory = record.child_out_of_memory != 0;
  end.log_bytes = record.log_bytes;
  end.usage.cpu_time = absl::Nanoseconds(record.cpu_ns);
  end.usage.wall_time = absl::Nanoseconds(record.wall_ns);
  end.usage.peak_memory_bytes = std::max(record.peak_rss_bytes, record.peak_tree_bytes);
  if (record.read_bytes >= 0) end.usage.read_bytes = record.read_bytes;
  if (record.written_bytes >= 0) end.usage.written_bytes = record.written_bytes;
  if (end.cause == EndCause::kStartFailed) end.message = StartFailureMessage(record);
  return end;
}

void RewriteState(const UniqueFd& state, const ShimRecord& record) {
  if (pwrite(state.get(), &record, sizeof(record), 0) < 0) return;
}

}  // namespace potok::agent
