// One-shot reading and writing of the small files of /proc, /sys and attempts' folders.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace potok::agent {

// The whole file. The status names the path.
absl::StatusOr<std::string> ReadSmallFile(const std::string& path);

// One write(2) to an existing file. The status names the path and the text.
absl::Status WriteSmallFile(const std::string& path, const std::string& text);

// `errno` as a status: "cannot TRIED PATH: No such file or directory".
absl::Status ErrnoStatus(int error, const std::string& tried, const std::string& path);

// This boot's id, /proc/sys/kernel/random/boot_id.
std::string BootId();

// CLOCK_BOOTTIME.
std::int64_t BootTimeNs();

}  // namespace potok::agent
