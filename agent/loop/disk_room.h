// Whether a disk is full. Asks the kernel, which does not wait for the disk; any thread.
#pragma once

#include <cstdint>
#include <string>

namespace potok::agent {

// Less than that is full: programs write in pieces, and what they wrote of the last one stays.
inline constexpr std::int64_t kFullDiskBytes = std::int64_t{1} << 20;

// For the user: that the disk of `path` has no room left, and what to do. Empty if it has more than
// `bytes_min` and takes more files, and if it cannot be asked.
std::string FullDiskText(const std::string& path, std::int64_t bytes_min = kFullDiskBytes);

}  // namespace potok::agent
