// Which process: a number alone is not enough, because numbers come again. Thread-safe.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace potok::client {

struct ProcessIdentity {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;  // proc(5), /proc/PID/stat, field 22: clock ticks since boot
  std::string boot_id;            // /proc/sys/kernel/random/boot_id

  bool operator==(const ProcessIdentity&) const = default;
};

// Of a process that runs; nothing for one that does not, zombies included.
std::optional<ProcessIdentity> IdentityOf(pid_t pid);

// True if exactly this process runs still.
bool IsAlive(const ProcessIdentity& identity);

// How long it has run; zero if it does not.
absl::Duration AgeOf(const ProcessIdentity& identity);

// The file is replaced by rename: a reader sees all or nothing of it.
absl::Status WritePidFile(const std::string& path, const ProcessIdentity& identity);

// The process that the file names, if it is alive.
std::optional<ProcessIdentity> LiveProcessOf(const std::string& pid_file);

// Whole content of a small file; empty if it cannot be read.
std::string ContentOf(const std::string& path);

// Writes `content` beside `path` and renames it there.
absl::Status ReplaceFile(const std::string& path, const std::string& content);

}  // namespace potok::client
