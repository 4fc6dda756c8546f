// Whole files as text. Any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace potok::client {

// The bytes of the regular file `path`. INVALID_ARGUMENT if it is anything else or has more than
// `bytes_max`, NOT_FOUND or PERMISSION_DENIED and the like otherwise; the messages are for users
// and do not repeat the path.
absl::StatusOr<std::string> ReadFileText(const std::string& path, std::size_t bytes_max);

// The first byte of `text` that no YAML file may hold: what is not UTF-8, and control characters
// but for tab and line ends.
std::optional<std::size_t> FindBadByte(const std::string& text);

}  // namespace potok::client
